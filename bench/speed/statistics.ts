/** The quantile at `share` in [0, 1], interpolated linearly between the sorted values as NumPy does. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const position = share * (sorted.length - 1);
  const below = Math.floor(position);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (position - below) * (sorted[above] - sorted[below]);
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);

/** The first and the third quartile. */
export const quartiles = (values: readonly number[]): [number, number] => [
  quantile(values, 0.25),
  quantile(values, 0.75),
];

/** The interquartile range. */
export function spread(values: readonly number[]): number {
  const [first, third] = quartiles(values);
  return third - first;
}
