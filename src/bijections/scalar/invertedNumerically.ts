import { solveIncreasing, type Tensor } from "../../graph/index.ts";
import { groupColumns, type ScalarTransform, type ScalarTransformed } from "./scalarTransform.ts";

/** A transform with the groups of parameters of `groupColumns`, whose sampling direction is computed from the density direction by root finding. */
export const invertedNumerically = (
  sizes: readonly number[],
  toLatent: (x: Tensor, raw: Tensor) => ScalarTransformed,
): ScalarTransform => ({
  parameters: sizes.reduce((a, b) => a + b),
  columns: (features) => groupColumns(features, sizes),
  toLatent,
  toData: (z, raw) => solveIncreasing((x) => toLatent(x, raw), z),
});
