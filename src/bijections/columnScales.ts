import * as z from "zod/mini";
import { parse } from "../check/index.ts";
import type { Tensor } from "../graph/index.ts";
import type { Description } from "../parts/index.ts";
import type { Bijection, BijectionKind, Transformed } from "./bijection.ts";
import type { Support } from "./support.ts";
import { ScaleMap } from "./valueScale.ts";
import { type ValueScale, valueScaleSchema } from "./valueScaleSchema.ts";

const columnScalesSchema = z.strictObject({
  type: z.literal("columnScales"),
  scales: z.array(valueScaleSchema).check(z.minLength(1)),
});

/**
 * x_i = s_i^-1(z_i) with a scale s_i for each feature (`ValueScale`): linear, the logarithm or the inverse softplus of the distance from one
 * bound, the log-odds between two, or asinh for heavy tails. As the last map of a flow it gives x the bounds and the tails of the columns of
 * a table.
 */
export class ColumnScales implements Bijection {
  readonly features: number;
  readonly context = 0;
  private readonly scales: readonly ValueScale[];
  private readonly map: ScaleMap;

  /** Throws `ARGUMENT` if a scale is not valid. `scales` [D]. */
  constructor(options: { scales: readonly ValueScale[] }) {
    const { scales } = parse(
      columnScalesSchema,
      { type: "columnScales", ...options },
      "the scales of columns",
    );
    this.features = scales.length;
    this.scales = scales;
    this.map = new ScaleMap(scales);
  }

  /** The set inside the bounds; undefined without bounds. */
  get support(): Support | undefined {
    const bounds = this.scales.flatMap((scale, i) => {
      if (scale.type === "log" || scale.type === "inverseSoftplus") return [`x_${i + 1} > ${scale.low}`];
      if (scale.type === "reversedLog") return [`x_${i + 1} < ${scale.high}`];
      return scale.type === "logit" ? [`${scale.low} < x_${i + 1} < ${scale.high}`] : [];
    });
    return bounds.length > 0 ? { description: bounds.join(", ") } : undefined;
  }

  forward(z: Tensor): Transformed {
    const { value, logSlope } = this.map.inverse(z.transpose());
    return { value: value.transpose(), logDet: logSlope.neg().sum(0) };
  }

  inverse(x: Tensor): Transformed {
    const columns = x.transpose();
    const { value, logSlope } = this.map.forward(columns);
    const inside = this.map.contains(columns);
    const logDet = (inside ? inside.where(logSlope, Number.NEGATIVE_INFINITY) : logSlope).sum(0);
    return { value: value.transpose(), logDet };
  }

  describe(): Description {
    return { type: "columnScales", scales: this.scales };
  }
}

export const columnScalesKind: BijectionKind<typeof columnScalesSchema> = {
  schema: columnScalesSchema,
  build: ({ scales }) => new ColumnScales({ scales }),
};
