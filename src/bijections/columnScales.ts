import * as z from "zod/mini";
import { ScaleMap, type ValueScale, valueScaleSchema } from "../distributions/heads/valueScale.ts";
import { concat, type Tensor } from "../graph/tensor.ts";
import { inversePermutation } from "../nn/axisPermutations.ts";
import { parse } from "../parse.ts";
import type { Bijection, BijectionKind, Description, Transformed } from "./bijection.ts";
import type { Support } from "./support.ts";

const columnScalesSchema = z.strictObject({
  type: z.literal("columnScales"),
  scales: z.array(valueScaleSchema).check(z.minLength(1)),
});

/**
 * x_i = s_i^-1(z_i) with a scale s_i for each feature (`ValueScale`): linear, the logarithm of the distance from one bound or the
 * log-odds between two, or asinh for heavy tails. As the last map of a flow it gives x the bounds and the tails of the columns of
 * a table.
 */
export class ColumnScales implements Bijection {
  readonly features: number;
  readonly context = 0;
  private readonly scales: readonly ValueScale[];
  /** For each type of scale one map for all its features, so that the graph has few nodes. */
  private readonly groups: readonly { readonly map: ScaleMap; readonly features: readonly number[] }[];

  /** Throws `ARGUMENT` if a scale is not valid. `scales` [D]. */
  constructor(options: { scales: readonly ValueScale[] }) {
    const { scales } = parse(
      columnScalesSchema,
      { type: "columnScales", ...options },
      "the scales of columns",
    );
    this.features = scales.length;
    this.scales = scales;
    this.groups = [...new Set(scales.map(({ type }) => type))].map((type) => {
      const features = scales.flatMap((scale, i) => (scale.type === type ? [i] : []));
      return { map: new ScaleMap(features.map((i) => scales[i])), features };
    });
  }

  /** The set inside the bounds; undefined without bounds. */
  get support(): Support | undefined {
    const bounds = this.scales.flatMap((scale, i) => {
      if (scale.type === "log") return [`x_${i + 1} > ${scale.low}`];
      if (scale.type === "reversedLog") return [`x_${i + 1} < ${scale.high}`];
      return scale.type === "logit" ? [`${scale.low} < x_${i + 1} < ${scale.high}`] : [];
    });
    return bounds.length > 0 ? { description: bounds.join(", ") } : undefined;
  }

  forward(z: Tensor): Transformed {
    return this.mapGroups(z, (map, columns) => {
      const value = map.inverse(columns);
      return { value, logDet: map.logSlopeAt(columns, value).neg().sum(0) };
    });
  }

  inverse(x: Tensor): Transformed {
    return this.mapGroups(x, (map, columns) => {
      const { value, logSlope } = map.forward(columns);
      const inside = map.contains(columns);
      return { value, logDet: (inside ? inside.where(logSlope, Number.NEGATIVE_INFINITY) : logSlope).sum(0) };
    });
  }

  /** Maps the features of each group as rows of a tensor [features of the group, N], and joins the results. */
  private mapGroups(rows: Tensor, apply: (map: ScaleMap, columns: Tensor) => Transformed): Transformed {
    const columns = rows.transpose();
    const mapped = this.groups.map(({ map, features }) => apply(map, columns.gather(0, features)));
    const order = this.groups.flatMap(({ features }) => features);
    const value = concat(
      mapped.map((group) => group.value),
      0,
    ).gather(0, inversePermutation(order));
    return {
      value: value.transpose(),
      logDet: mapped.map((group) => group.logDet as Tensor).reduce((sum, logDet) => sum.add(logDet)),
    };
  }

  describe(): Description {
    return { type: "columnScales", scales: this.scales };
  }
}

export const columnScalesKind: BijectionKind<typeof columnScalesSchema> = {
  schema: columnScalesSchema,
  build: ({ scales }) => new ColumnScales({ scales }),
};
