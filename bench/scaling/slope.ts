/** A place on a curve. */
export type Place = readonly [x: number, y: number];

/** The upper half of a curve whose places ascend, the middle one included: where constant costs weigh least. */
export const upperHalf = <T>(places: readonly T[]): T[] => places.slice(Math.floor(places.length / 2));

/** The exponent a of the power law y = c x^a next to the places: the slope of the least-squares line through their logarithms. */
export function slope(places: readonly Place[]): number {
  const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
  const [x, y] = [0, 1].map((i) => places.map((place) => Math.log(place[i])));
  const [centerX, centerY] = [mean(x), mean(y)];
  const products = x.map((v, i) => (v - centerX) * (y[i] - centerY));
  const squares = x.map((v) => (v - centerX) ** 2);
  return mean(products) / mean(squares);
}
