/** A row as messages show it: 4 digits, and 8 columns at most. */
export function shownRow(x: ArrayLike<number>): string {
  const numbers = Array.from(x)
    .slice(0, 8)
    .map((value) => Number(value.toPrecision(4)));
  return `(${numbers.join(", ")}${x.length > 8 ? ", ..." : ""})`;
}
