interface DigitArgs {
  /** The class: a digit from 0 to 9. */
  readonly digit: number;
  readonly temperature: number;
  readonly seed: number;
  readonly count: number;
}

/** The requests that the worker of the model of digits answers: pixels from 0 to `MAX_PIXEL`, image by image. */
export interface DigitRequests {
  sample: { args: DigitArgs; result: Float64Array };
  /** Images of points on the arc between two latent points. */
  interpolate: { args: DigitArgs; result: Float64Array };
}

export const DIGIT_SIDE = 8;
export const MAX_PIXEL = 16;
