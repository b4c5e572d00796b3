/** The Butcher tableau of an explicit Runge-Kutta method with an embedded method of lower order. */
export interface Tableau {
  /** c_i: the time of stage i, as a fraction of the step. */
  readonly nodes: readonly number[];
  /** a_ij: the weights of the derivatives of earlier stages j in stage i. */
  readonly stages: readonly (readonly number[])[];
  /**
   * b_j: the weights of the derivatives in the step. If they equal the last row of a_ij, the last stage is the first of the
   * next step.
   */
  readonly weights: readonly number[];
  /** The weights of the error estimate: b_j minus the weights of the embedded method. */
  readonly errorWeights: readonly number[];
  readonly order: number;
}

/** The 5(4) pair of Dormand and Prince (1980), "A family of embedded Runge-Kutta formulae". */
export const dormandPrince: Tableau = {
  nodes: [0, 1 / 5, 3 / 10, 4 / 5, 8 / 9, 1, 1],
  stages: [
    [],
    [1 / 5],
    [3 / 40, 9 / 40],
    [44 / 45, -56 / 15, 32 / 9],
    [19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729],
    [9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656],
    [35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84],
  ],
  weights: [35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84, 0],
  errorWeights: [
    35 / 384 - 5179 / 57600,
    0,
    500 / 1113 - 7571 / 16695,
    125 / 192 - 393 / 640,
    -2187 / 6784 + 92097 / 339200,
    11 / 84 - 187 / 2100,
    -1 / 40,
  ],
  order: 5,
};
