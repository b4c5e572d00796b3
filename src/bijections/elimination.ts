import { concat, type Tensor, unitRow, withGradient } from "../graph/index.ts";

/** The result of the elimination of a batch of matrices A, [N, D, D]. */
interface Elimination {
  /** log det A, [N]. */
  readonly logDet: Tensor;
  /** A^-1 w, [N, D] for w [N, D]. */
  solve(w: Tensor): Tensor;
}

/**
 * Gauss-Jordan elimination without pivoting. It requires A = I + J with ||J|| <= c < 1, as in residual flows.
 *
 * Pivoting is not needed: for such A, (y, A y) >= (1 - c) |y|^2 for all y. A Schur complement S inherits that: with
 * A = [[p, b], [a, B]] and x = (-b y / p, y), A x is (0, S y), so (y, S y) = (x, A x) >= (1 - c) |x|^2 >= (1 - c) |y|^2. Every
 * pivot, (e, S e) for a unit vector e, is therefore at least 1 - c, and the determinant is positive.
 *
 * Step k replaces A by A - (column k - e_k) (row k + e_k)^T / pivot; after the last step A^-1 is left. All steps have the same
 * shape, so the runtime reuses their memory, and the gradients are products with the inverse.
 */
export function eliminate(matrix: Tensor): Elimination {
  const size = matrix.shape[1] as number;
  const pivots: Tensor[] = [];
  let reduced = matrix;
  for (let k = 0; k < size; k++) {
    const unit = unitRow(size, k);
    const row = reduced.slice(1, k, k + 1);
    const column = reduced.slice(2, k, k + 1);
    const pivot = row.slice(2, k, k + 1);
    pivots.push(pivot.reshape(["N", 1]));
    reduced = reduced.sub(
      column
        .sub(unit.reshape([size, 1]))
        .div(pivot)
        .matmul(row.add(unit)),
    );
  }
  const inverse: Tensor = withGradient(reduced, [matrix], (g) => {
    const transposed = inverse.transpose([0, 2, 1]);
    return [transposed.matmul(g).matmul(transposed).neg()];
  });
  const logDet = withGradient(concat(pivots, 1).log().sum(-1), [matrix], (g) => [
    inverse.transpose([0, 2, 1]).mul(g.reshape(["N", 1, 1])),
  ]);
  return {
    logDet,
    solve: (w) => inverse.matmul(w.reshape(["N", size, 1])).reshape(["N", size]),
  };
}
