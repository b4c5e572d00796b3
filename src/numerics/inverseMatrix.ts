/** The inverse of an invertible row-major [size, size] matrix, by Gauss-Jordan elimination with partial pivoting. */
export function inverseMatrix(matrix: ArrayLike<number>, size: number): number[] {
  /** The rows of [A I], which become those of [I A^-1]. */
  const rows = Array.from({ length: size }, (_, i) => [
    ...Array.from(matrix).slice(i * size, (i + 1) * size),
    ...Array.from({ length: size }, (_, j) => +(i === j)),
  ]);
  for (let k = 0; k < size; k++) {
    let pivot = k;
    for (let i = k + 1; i < size; i++) if (Math.abs(rows[i][k]) > Math.abs(rows[pivot][k])) pivot = i;
    [rows[k], rows[pivot]] = [rows[pivot], rows[k]];
    const scaled = rows[k].map((value) => value / rows[k][k]);
    for (const [i, row] of rows.entries())
      rows[i] = i === k ? scaled : row.map((value, j) => value - row[k] * scaled[j]);
  }
  return rows.flatMap((row) => row.slice(size));
}
