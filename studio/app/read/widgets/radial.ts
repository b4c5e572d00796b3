const MIN_SLOPE = 1e-3;
const OFFSET = Math.log(Math.expm1(1 - MIN_SLOPE));

/** The parameter of a radial layer that gives the slope s = softplus(parameter + c) + 1/1000: see the page of `Radial`. */
export const rawSlope = (slope: number): number => Math.log(Math.expm1(slope - MIN_SLOPE)) - OFFSET;
