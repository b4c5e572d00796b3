/** The number of elements of an ascending array that are below x. */
export const lowerBound = (ascending: ArrayLike<number>, x: number): number =>
  countLeading(ascending, (value) => value < x);

/** The number of elements of an ascending array that are at most x. */
export const upperBound = (ascending: ArrayLike<number>, x: number): number =>
  countLeading(ascending, (value) => value <= x);

/** The number of elements that satisfy a condition, if they precede all elements that do not. */
function countLeading(ascending: ArrayLike<number>, satisfies: (value: number) => boolean): number {
  let [low, high] = [0, ascending.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (satisfies(ascending[middle])) low = middle + 1;
    else high = middle;
  }
  return low;
}
