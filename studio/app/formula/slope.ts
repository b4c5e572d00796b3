/**
 * The slope parameter of planar and radial layers: slope = softplus(raw + c) + 1/1000, where c is such that raw = 0 gives the slope 1,
 * the identity.
 */
const MIN_SLOPE = 1e-3;
const OFFSET = Math.log(Math.expm1(1 - MIN_SLOPE));

export const slopeOf = (raw: number): number => Math.log1p(Math.exp(raw + OFFSET)) + MIN_SLOPE;

/** The inverse of `slopeOf`. */
export const rawSlope = (slope: number): number => Math.log(Math.expm1(slope - MIN_SLOPE)) - OFFSET;
