import { concat, type Tensor } from "../tensor.ts";

/**
 * The Cholesky factor L of symmetric positive definite matrices A = L L^T, [..., D, D]: lower triangular with a positive diagonal. It
 * is NaN where A is not positive definite. Only the lower triangle of A is read.
 *
 * Column k of L is the first column of the Schur complement that is left of A, divided by the square root of its first element.
 * Subtracting the outer product of this column with itself gives the next Schur complement. The D steps are unrolled, so this is
 * meant for matrices of up to about 50 columns.
 */
export function cholesky(matrix: Tensor): Tensor {
  const [rows, columns] = [matrix.rank - 2, matrix.rank - 1];
  const size = matrix.shape[columns] as number;
  const factors: Tensor[] = [];
  let complement = matrix;
  for (let k = 0; k < size; k++) {
    const first = complement.slice(columns, 0, 1);
    const column = first.div(first.slice(rows, 0, 1).sqrt());
    factors.push(column.pad(rows, k, 0));
    if (k === size - 1) break;
    const below = column.slice(rows, 1, size - k);
    const block = complement.slice(rows, 1, size - k).slice(columns, 1, size - k);
    complement = block.sub(below.matmul(below, { transposeB: true }));
  }
  return concat(factors, columns);
}

/**
 * L^-1 B for lower triangular matrices L [..., D, D] and B [..., D, K], by forward substitution. Leading axes are broadcast. The D
 * steps are unrolled.
 */
export function solveLower(lower: Tensor, right: Tensor): Tensor {
  const [rows, columns] = [lower.rank - 2, lower.rank - 1];
  const size = lower.shape[columns] as number;
  const solved: Tensor[] = [];
  for (let i = 0; i < size; i++) {
    const row = lower.slice(rows, i, i + 1);
    const diagonal = row.slice(columns, i, i + 1);
    const b = right.slice(right.rank - 2, i, i + 1);
    const above = i === 0 ? undefined : concat(solved, solved[0].rank - 2);
    solved.push((above ? b.sub(row.slice(columns, 0, i).matmul(above)) : b).div(diagonal));
  }
  return concat(solved, solved[0].rank - 2);
}
