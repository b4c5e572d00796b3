import { constant, stack, type Tensor } from "../graph/index.ts";

/** The largest float32 number below 1. Uniform numbers of `chooseComponent` that are results of a computation are clipped to it. */
export const MAX_UNIFORM = 1 - 2 ** -24;

/**
 * Draws a component for each row, as one-hot rows [N, K], by inverting the cumulative distribution of the weights at the
 * uniform numbers [N, 1], which are below 1. The log-weights, [K] or [N, K], need not be normalized. Components of weight 0 are not drawn.
 *
 * With `axis` -2 the components are along the second-to-last axis: log-weights [S, K, N] and uniform numbers [S, 1, N] give
 * one-hot numbers [S, K, N].
 */
export function chooseComponent(logWeights: Tensor, uniform: Tensor, axis: -1 | -2 = -1): Tensor {
  const components = logWeights.shape.at(axis) as number;
  if (components === 1) return uniform.mul(0).add(1);
  // The sum of all weights is not exactly 1 after rounding. Without the product with it, numbers near 1 would draw the last component even
  // if its weight is 0.
  const [upperBounds, total] = logWeights
    .softmax(axis)
    .cumsum(axis)
    .split(axis, [components - 1, 1]);
  const exceeds = uniform.mul(total).greaterEqual(upperBounds).toFloat();
  // Component k is chosen if u is at least bound k - 1 and below bound k: the difference of neighboring comparisons.
  const first = constant(
    [1, ...new Array(components - 1).fill(0)],
    axis === -1 ? [components] : [components, 1],
  );
  return exceeds
    .pad(axis, 1, 0)
    .add(first)
    .sub(exceeds.pad(axis, 0, 1));
}

/** log((exp(t_1) + ... + exp(t_K)) / K) of K tensors [N]: the log-density of a mixture with equal weights. */
export const logMeanExpOf = (tensors: readonly Tensor[]): Tensor =>
  tensors.length === 1 ? tensors[0] : stack(tensors, 1).logsumexp(1).sub(Math.log(tensors.length));

/**
 * Selects each row [N, D] from `rows` of the component that is 1 in `chosen`, one-hot [N, K]. With `chosen` [N, K, D] each
 * element has its own component. It selects with `where` and does not sum products with 0 and 1, so that infinite values of other
 * components do no harm.
 */
export const rowsOfChosenComponents = (chosen: Tensor, rows: readonly Tensor[]): Tensor =>
  rows.reduce((selected, row, k) =>
    chosen
      .slice(1, k, k + 1)
      .reshape(["N", chosen.shape[2] ?? 1])
      .greater(0)
      .where(row, selected),
  );
