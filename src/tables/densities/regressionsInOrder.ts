import { constant, filled, loop, scalar, type Tensor } from "../../graph/index.ts";

/** The smallest residual variance. Rounding, or covariances that are not positive definite, could make it negative. */
const MIN_VARIANCE = 1e-6;

/** For each of C components, the linear regressions of M columns on those at earlier positions. */
export interface Regressions {
  /**
   * [C, M, M]: row d has the coefficients of the columns that column d depends on, and is 0 otherwise. [1, M, M] if the components share one
   * covariance.
   */
  readonly coefficients: Tensor;
  /** [C, M], the residual standard deviations. */
  readonly deviations: Tensor;
}

/** Values of M numeric columns on the linear scale, and 1 for those that have a density, else 0: the result of `HeadGroup.linearScores`. */
export interface Scores {
  /** [M, N] */
  readonly scores: Tensor;
  /** [M, N] */
  readonly isSmooth: Tensor;
}

/** The means [C, M, N] of the columns given the columns at earlier positions, for means [C, M] of the components. */
export function conditionalMeans(
  { coefficients }: Regressions,
  means: Tensor,
  { scores, isSmooth }: Scores,
): Tensor {
  const [C, M] = means.shape as [number, number];
  // A column without a density contributes nothing, so the mean of the component is subtracted only from the others.
  const shifts = coefficients.mul(means.reshape([C, 1, M]));
  const product = (matrices: Tensor, columns: Tensor) => {
    const count = matrices.shape[0] as number;
    return matrices
      .reshape([count * M, M])
      .matmul(columns)
      .reshape([count, M, "N"]);
  };
  return product(coefficients, scores)
    .sub(product(shifts, isSmooth))
    .add(means.reshape([C, M, 1]));
}

/**
 * The regressions that follow from covariances [C, M, M], for positions [M] of the columns from 0 to `lastPosition`. No two columns have
 * the same position, except that several may have the last one; these do not depend on each other.
 *
 * Each iteration of a loop records the regressions of the column at one position, and then sweeps the matrix on this column (Beaton 1964):
 * after that, the elements in its row and its column are the coefficients of regressions on it, and all others are covariances given it.
 */
export function regressionsInOrder(
  covariances: Tensor,
  positions: Tensor,
  lastPosition: number,
): Regressions {
  const [C, M] = covariances.shape as [number, number, number];
  const identity = constant(
    Array.from({ length: M * M }, (_, i) => (i % (M + 1) === 0 ? 1 : 0)),
    [M, M],
  );
  const last = positions.max(0);
  const [coefficients, variances] = loop(
    [filled(0, [C, M, M]), filled(0, [C, M]), covariances.mul(1), scalar(0)],
    ([recorded, recordedVariances, matrix, position]) => {
      const pivot = positions.equal(position).toFloat();
      const earlier = positions.less(position).toFloat();
      const others = pivot.neg().add(1);
      const column = matrix.mul(pivot.reshape([1, 1, M])).sum(2);
      // The position of a categorical column has no pivot: the matrix stays as it is. The last position may have several pivots: its sweep
      // has no meaning, but nothing is recorded after it.
      const isOne = pivot.sum(0).equal(1);
      const variance = isOne.where(column.mul(pivot).sum(1, { keepAxes: true }), 1).maximum(MIN_VARIANCE);
      const direction = column.mul(others).sub(pivot);
      const product = direction.reshape([C, M, 1]).mul(direction.div(variance).reshape([C, 1, M]));
      const kept = matrix.mul(others.reshape([1, M, 1])).mul(others.reshape([1, 1, M]));
      const next = position.add(1);
      return {
        state: [
          recorded.add(matrix.mul(pivot.reshape([1, M, 1])).mul(earlier.reshape([1, 1, M]))),
          recordedVariances.add(matrix.mul(identity).sum(2).mul(pivot)),
          kept.sub(product),
          next,
        ],
        proceed: next.lessEqual(last),
      };
    },
    { maxIterations: lastPosition + 1 },
  );
  return { coefficients, deviations: variances.maximum(MIN_VARIANCE).sqrt() };
}
