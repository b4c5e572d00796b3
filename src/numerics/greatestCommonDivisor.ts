/** The greatest common divisor of two integers, at least 0, by Euclid's algorithm. */
export const greatestCommonDivisor = (a: number, b: number): number =>
  b === 0 ? Math.abs(a) : greatestCommonDivisor(b, a % b);
