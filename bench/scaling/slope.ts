/** A point of a curve. */
export type CurvePoint = readonly [x: number, y: number];

/** The upper half of the points in ascending order of x, including the middle one. Constant costs matter least there. */
export const upperHalf = <T>(points: readonly T[]): T[] => points.slice(Math.floor(points.length / 2));

/** The exponent a of the power law y = c x^a: the slope of the least-squares line through the logarithms of the points. */
export function slope(points: readonly CurvePoint[]): number {
  const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
  const [x, y] = [0, 1].map((i) => points.map((point) => Math.log(point[i])));
  const [centerX, centerY] = [mean(x), mean(y)];
  const products = x.map((v, i) => (v - centerX) * (y[i] - centerY));
  const squares = x.map((v) => (v - centerX) ** 2);
  return mean(products) / mean(squares);
}
