/** The rows of two tables, given row by row, beside each other. */
export function sideBySide(left: Float64Array, right: Float64Array, rows: number): Float64Array {
  const [a, b] = [left.length / rows, right.length / rows];
  if (b === 0) return left;
  const out = new Float64Array(rows * (a + b));
  for (let row = 0; row < rows; row++) {
    out.set(left.subarray(row * a, (row + 1) * a), row * (a + b));
    out.set(right.subarray(row * b, (row + 1) * b), row * (a + b) + a);
  }
  return out;
}
