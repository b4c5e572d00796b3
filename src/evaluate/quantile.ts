/** The quantile of ascending numbers, interpolated linearly between neighbors. */
export function quantile(sorted: ArrayLike<number>, fraction: number): number {
  const position = fraction * (sorted.length - 1);
  const low = sorted[Math.floor(position)];
  return low + (position % 1) * (sorted[Math.ceil(position)] - low);
}
