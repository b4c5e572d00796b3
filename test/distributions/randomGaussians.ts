import { Random } from "../../src/random/index.ts";
import type { ColumnHeadOptions } from "../../src/tables/densities/heads/columnHead.ts";
import { MixedGaussianMixture } from "../../src/tables/densities/index.ts";

const Q = Math.log(3);
/** A column whose linear scale is the value itself: the quartiles of its knots are -log 3 and log 3. */
export const linear: Extract<ColumnHeadOptions, { type: "continuous" }> = {
  type: "continuous",
  knots: { x: [-Q, Q], z: [-Q, Q], slope: [1, 1] },
};

/** A mixture whose components differ, with correlated numeric columns. */
export function randomMixture(
  columns: ColumnHeadOptions[],
  components = 3,
  covariance?: "shared",
): MixedGaussianMixture {
  const model = new MixedGaussianMixture({ columns, components, covariance });
  const M = model.numericColumns.length;
  const normal = (name: string, count: number) => new Random(3).split(name).normal(new Float64Array(count));
  const factors = normal("factors", components * M * M);
  model.logWeights.value = normal("weights", components);
  model.means.value = normal("means", components * M);
  if (model.widths) model.widths.value = normal("widths", components).map(Math.exp);
  model.covariances.value = Float64Array.from({ length: model.covariances.numbers.length }, (_, i) => {
    const [c, d, e] = [Math.floor(i / (M * M)), Math.floor(i / M) % M, i % M];
    const row = (column: number) => factors.subarray((c * M + column) * M, (c * M + column + 1) * M);
    return (d === e ? 0.1 : 0) + row(d).reduce((sum, value, k) => sum + value * row(e)[k], 0);
  });
  for (const [g, { logits }] of model.groups.entries())
    logits.value = normal(`logits ${g}`, logits.numbers.length);
  return model;
}
