import type { Tensor } from "../graph/tensor.ts";

/** A value with the log-determinant of the map that gave it. */
export interface Transformed {
  /** [N, D] */
  readonly value: Tensor;
  /** log |det J| of each row: [N], or smaller where it is the same for all rows. */
  readonly logDet: Tensor;
}

/**
 * An invertible, differentiable map between latent z and data x, both [N, D].
 *
 * `forward` takes z to x (sampling), `inverse` takes x to z (density). Each gives log |det J| of the map it applied.
 */
export interface Bijection {
  readonly features: number;
  /** Number of context features; 0 for an unconditional map. */
  readonly context: number;
  forward(z: Tensor, context?: Tensor): Transformed;
  inverse(x: Tensor, context?: Tensor): Transformed;
  /** A JSON description from which `buildBijection` makes the same map (but for its parameters). */
  describe(): Description;
  /** Sets what is taken from data, such as a scale, from the rows that arrive at its data side. */
  fitToData?(rows: DataRows): void;
}

export interface Description {
  readonly type: string;
  readonly [key: string]: unknown;
}

/** Rows of numbers, [rows, features] in row-major order. */
export interface DataRows {
  readonly rows: number;
  readonly features: number;
  readonly values: Float64Array;
  /** One non-negative weight a row; all 1 if absent. */
  readonly weights?: Float64Array;
}
