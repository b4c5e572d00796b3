/** The rows with these indices of numbers [N, width] in row-major order. */
export function selectRows(
  values: Float64Array,
  rows: ArrayLike<number>,
  width: number,
): Float64Array<ArrayBuffer> {
  const selected = new Float64Array(rows.length * width);
  for (let n = 0; n < rows.length; n++)
    selected.set(values.subarray(rows[n]! * width, (rows[n]! + 1) * width), n * width);
  return selected;
}
