/** Logarithms of scales, slopes and weights are clamped smoothly to +-log 1000, as in zuko, so that no layer overflows. */
export const LOG_BOUND: number = Math.log(1000);
/** Slopes of maps that are inverted numerically are at least this, so that root finding converges in float32. */
export const MIN_SLOPE = 1e-3;
/** The lower bound of squared norms, so that no vector of zeros leads to a division by 0. */
export const MIN_SQUARED_NORM = 1e-30;
