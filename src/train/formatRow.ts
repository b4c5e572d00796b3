/** A row as text for messages: at most 8 columns with 4 significant digits. */
export function formatRow(x: ArrayLike<number>): string {
  const numbers = Array.from(x)
    .slice(0, 8)
    .map((value) => Number(value.toPrecision(4)));
  return `(${numbers.join(", ")}${x.length > 8 ? ", ..." : ""})`;
}
