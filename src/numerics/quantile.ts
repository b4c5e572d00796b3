/** The quantile of ascending numbers at a probability from 0 to 1, interpolated linearly between neighbors (R's type 7). */
export function quantile(ascending: ArrayLike<number>, probability: number): number {
  const position = probability * (ascending.length - 1);
  const below = Math.floor(position);
  const above = Math.min(below + 1, ascending.length - 1);
  return ascending[below] + (position - below) * (ascending[above] - ascending[below]);
}
