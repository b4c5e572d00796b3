/** Appends to each row of `left` [N, A] the row of `right` [N, B] with the same index: [N, A + B], in row-major order. */
export function joinColumns(left: Float64Array, right: Float64Array, rows: number): Float64Array {
  if (right.length === 0) return left;
  const [a, b] = [left.length / rows, right.length / rows];
  const joined = new Float64Array(rows * (a + b));
  for (let row = 0; row < rows; row++) {
    joined.set(left.subarray(row * a, (row + 1) * a), row * (a + b));
    joined.set(right.subarray(row * b, (row + 1) * b), row * (a + b) + a);
  }
  return joined;
}
