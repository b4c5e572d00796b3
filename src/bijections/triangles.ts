import { concat, constantMatrix, type Tensor, unitRow, withGradient } from "../graph/index.ts";

/** A diagonal matrix [D, D] from its diagonal [D]. */
export function diagonalMatrix(values: Tensor): Tensor {
  const size = values.shape[0] as number;
  return identityMatrix(size).mul(values);
}

export const identityMatrix = (size: number): Tensor =>
  constantMatrix(size, size, (row, column) => +(row === column));

/**
 * The inverse of a lower triangular matrix L [D, D] by substitution: row r_i = (e_i - sum_{j<i} l_ij r_j) / l_ii. Its gradient
 * -L^-T g L^-T takes two products, where backpropagation through the substitution would take D^2 operations.
 */
export function invertLower(lower: Tensor): Tensor {
  const size = lower.shape[0] as number;
  const rows: Tensor[] = [];
  for (let i = 0; i < size; i++) {
    const unit = unitRow(size, i);
    const row = lower.slice(0, i, i + 1);
    const numerator = i === 0 ? unit : unit.sub(row.slice(1, 0, i).matmul(concat(rows, 0)));
    rows.push(numerator.div(row.slice(1, i, i + 1)));
  }
  const inverse: Tensor = withGradient(concat(rows, 0), [lower], (g) => {
    const transposed = inverse.transpose();
    return [transposed.matmul(g).matmul(transposed).neg().lowerTriangle()];
  });
  return inverse;
}

/** The inverse of an upper triangular matrix [D, D]. */
export const invertUpper = (upper: Tensor): Tensor => invertLower(upper.transpose()).transpose();
