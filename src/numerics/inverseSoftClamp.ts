/** The x with softClamp(x) = x / (1 + |x| / bound) = y, for |y| < bound. See `Tensor.softClamp`. */
export const inverseSoftClamp = (y: number, bound: number): number => y / (1 - Math.abs(y) / bound);
