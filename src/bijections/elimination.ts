import { concat, type Tensor } from "../graph/tensor.ts";

/** A = L U of each row of a batch, [N, D, D]: the rows of U and, for each step, the multiples that were subtracted. */
export interface Elimination {
  /** log det A, [N]. */
  readonly logDet: Tensor;
  /** The v with A v = w, [N, D] for w [N, D]. */
  solve(w: Tensor): Tensor;
}

/**
 * Elimination without pivoting, unrolled: for A = I + J with ||J|| <= c < 1 alone.
 *
 * There (y, A y) >= (1 - c) |y|^2. A Schur complement S inherits that: with A = [[p, b], [a, B]] and x = (-b y / p, y), A x is
 * (0, S y), so (y, S y) = (x, A x) >= (1 - c) |x|^2 >= (1 - c) |y|^2. So every pivot, (e, S e) for a unit vector e, is at
 * least 1 - c: none vanishes, and the determinant is positive.
 */
export function eliminate(matrix: Tensor): Elimination {
  const size = matrix.shape[1] as number;
  const pivots: Tensor[] = [];
  const tops: Tensor[] = [];
  const factors: Tensor[] = [];
  let rest = matrix;
  for (let left = size; left > 0; left--) {
    const top = rest.slice(1, 0, 1);
    const pivot = top.slice(2, 0, 1);
    pivots.push(pivot.reshape(["N", 1]));
    if (left === 1) break;
    const beside = top.slice(2, 1, left);
    const below = rest.slice(1, 1, left);
    const factor = below.slice(2, 0, 1).div(pivot);
    tops.push(beside.reshape(["N", left - 1]));
    factors.push(factor.reshape(["N", left - 1]));
    rest = below.slice(2, 1, left).sub(factor.mul(beside));
  }
  return {
    logDet: concat(pivots, 1).log().sum(-1),
    solve(w) {
      const known: Tensor[] = [];
      let rest = w;
      for (let k = 0; k < size; k++) {
        known.push(rest.slice(1, 0, 1));
        if (k < size - 1) rest = rest.slice(1, 1, size - k).sub(factors[k].mul(known[k]));
      }
      let solved = known[size - 1].div(pivots[size - 1]);
      for (let k = size - 2; k >= 0; k--) {
        const later = tops[k].mul(solved).sum(1, { keepAxes: true });
        solved = concat([known[k].sub(later).div(pivots[k]), solved], 1);
      }
      return solved;
    },
  };
}
