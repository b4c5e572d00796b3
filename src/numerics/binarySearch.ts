/** The number of elements of an ascending array that are below x. */
export const lowerBound = (ascending: ArrayLike<number>, x: number): number =>
  leading(ascending, (value) => value < x);

/** The number of elements of an ascending array that are at most x. */
export const upperBound = (ascending: ArrayLike<number>, x: number): number =>
  leading(ascending, (value) => value <= x);

/** The number of elements before the first one that does not satisfy a condition; no later one satisfies it either. */
function leading(ascending: ArrayLike<number>, satisfies: (value: number) => boolean): number {
  let [low, high] = [0, ascending.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (satisfies(ascending[middle])) low = middle + 1;
    else high = middle;
  }
  return low;
}
