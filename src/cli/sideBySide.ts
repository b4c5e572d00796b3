/** The rows of two tables, given row by row, beside each other. */
export function sideBySide(left: Float64Array, right: Float64Array, rows: number): Float64Array {
  if (right.length === 0) return left;
  const [a, b] = [left.length / rows, right.length / rows];
  const out = new Float64Array(rows * (a + b));
  for (let row = 0; row < rows; row++) {
    out.set(left.subarray(row * a, (row + 1) * a), row * (a + b));
    out.set(right.subarray(row * b, (row + 1) * b), row * (a + b) + a);
  }
  return out;
}

/** The first `a` columns of rows, and the others: what `sideBySide` puts together. */
export function apart(
  values: Float64Array,
  a: number,
  rows: number,
): [left: Float64Array, right: Float64Array] {
  const right = new Float64Array(values.length - rows * a);
  if (right.length === 0) return [values, right];
  const left = new Float64Array(rows * a);
  const b = right.length / rows;
  for (let row = 0; row < rows; row++) {
    const start = row * (a + b);
    left.set(values.subarray(start, start + a), row * a);
    right.set(values.subarray(start + a, start + a + b), row * b);
  }
  return [left, right];
}
