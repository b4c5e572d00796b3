import { concat, constant, type Tensor } from "../graph/tensor.ts";
import { withGradient } from "../graph/withGradient.ts";

/** What the elimination of a matrix A gives for each row of a batch, [N, D, D]. */
export interface Elimination {
  /** log det A, [N]. */
  readonly logDet: Tensor;
  /** The v with A v = w, [N, D] for w [N, D]. */
  solve(w: Tensor): Tensor;
}

/**
 * Gauss-Jordan elimination without pivoting: for A = I + J with ||J|| <= c < 1 alone.
 *
 * There (y, A y) >= (1 - c) |y|^2. A Schur complement S inherits that: with A = [[p, b], [a, B]] and x = (-b y / p, y), A x is
 * (0, S y), so (y, S y) = (x, A x) >= (1 - c) |x|^2 >= (1 - c) |y|^2. So every pivot, (e, S e) for a unit vector e, is at
 * least 1 - c: none vanishes, and the determinant is positive.
 *
 * Step k sweeps A in place, A - (column k - e_k) (row k + e_k)^T / pivot, and the last one leaves A^-1: all steps reuse the
 * same memory, and gradients are products with the inverse.
 */
export function eliminate(matrix: Tensor): Elimination {
  const size = matrix.shape[1] as number;
  const pivots: Tensor[] = [];
  let swept = matrix;
  for (let k = 0; k < size; k++) {
    const unit = Array.from({ length: size }, (_, i) => (i === k ? 1 : 0));
    const row = swept.slice(1, k, k + 1);
    const column = swept.slice(2, k, k + 1);
    const pivot = row.slice(2, k, k + 1);
    pivots.push(pivot.reshape(["N", 1]));
    swept = swept.sub(
      column
        .sub(constant(unit, [size, 1]))
        .div(pivot)
        .matmul(row.add(constant(unit, [size]))),
    );
  }
  const inverse: Tensor = withGradient(swept, [matrix], (g) => {
    const turned = inverse.transpose([0, 2, 1]);
    return [turned.matmul(g).matmul(turned).neg()];
  });
  const logDet = withGradient(concat(pivots, 1).log().sum(-1), [matrix], (g) => [
    inverse.transpose([0, 2, 1]).mul(g.reshape(["N", 1, 1])),
  ]);
  return {
    logDet,
    solve: (w) => inverse.matmul(w.reshape(["N", size, 1])).reshape(["N", size]),
  };
}
