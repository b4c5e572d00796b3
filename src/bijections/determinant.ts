/** log |det A| of a row-major [size, size] matrix, by Gaussian elimination with partial pivoting. */
export function logAbsDeterminant(matrix: ArrayLike<number>, size: number): number {
  const a = Float64Array.from(matrix);
  let result = 0;
  for (let column = 0; column < size; column++) {
    let pivot = column;
    for (let row = column + 1; row < size; row++) {
      if (Math.abs(a[row * size + column]) > Math.abs(a[pivot * size + column])) pivot = row;
    }
    for (let j = 0; j < size; j++) {
      const swapped = a[column * size + j];
      a[column * size + j] = a[pivot * size + j];
      a[pivot * size + j] = swapped;
    }
    const diagonal = a[column * size + column];
    result += Math.log(Math.abs(diagonal));
    for (let row = column + 1; row < size; row++) {
      const factor = a[row * size + column] / diagonal;
      for (let j = column; j < size; j++) a[row * size + j] -= factor * a[column * size + j];
    }
  }
  return result;
}
