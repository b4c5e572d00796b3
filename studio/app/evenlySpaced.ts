/** The indices of at most `max` of `total` rows, evenly spaced: the first rows of a sorted table would not represent the others. */
export function evenlySpaced(total: number, max: number): number[] {
  const count = Math.min(total, max);
  return Array.from({ length: count }, (_, i) => Math.floor((i * total) / count));
}
