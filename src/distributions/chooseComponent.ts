import { constant, type Tensor } from "../graph/tensor.ts";

/**
 * One-hot rows [N, K] that choose a component: the one whose stretch of the cumulative weights holds the uniform number.
 * Log-weights [K] or [N, K], not normalized; uniform numbers [N, 1].
 */
export function chooseComponent(logWeights: Tensor, uniform: Tensor): Tensor {
  const components = logWeights.shape.at(-1) as number;
  if (components === 1) return uniform.mul(0).add(1);
  const ends = logWeights
    .softmax()
    .cumsum(-1)
    .slice(-1, 0, components - 1);
  const above = uniform.greaterEqual(ends).toFloat();
  const first = constant([1, ...new Array(components - 1).fill(0)], [components]);
  return above
    .pad(1, 1, 0)
    .add(first)
    .sub(above.pad(1, 0, 1));
}

/**
 * Of each row [N, D] the one of the component that is chosen: a choice and not a sum of products, so that what is far out in
 * one component is of no matter to the others.
 */
export const chosenRows = (chosen: Tensor, rows: readonly Tensor[]): Tensor =>
  rows.reduce((sofar, row, k) =>
    chosen
      .slice(1, k, k + 1)
      .greater(0)
      .where(row, sofar),
  );
