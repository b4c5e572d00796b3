import { z } from "zod";
import { Parameter } from "../graph/parameter.ts";
import type { Tensor } from "../graph/tensor.ts";
import type { Bijection, DataRows, Description, Transformed } from "./bijection.ts";
import { columnMoments, quantile } from "./moments.ts";

export const standardizeSchema = z.strictObject({
  type: z.literal("standardize"),
  features: z.int().positive(),
});

/**
 * x_i = z_i scale_i + center_i, both taken from the data and then fixed, so that densities are in data units.
 *
 * The scale is robust: the deviation of the middle 98% of a column, so a far outlier does not squash the rest;
 * a column whose middle is constant takes its full deviation.
 */
export class Standardize implements Bijection {
  readonly features: number;
  readonly context = 0;
  readonly center: Parameter;
  readonly scale: Parameter;

  constructor({ features }: { features: number }) {
    this.features = features;
    this.center = new Parameter([features], new Float64Array(features), { trainable: false });
    this.scale = new Parameter([features], new Float64Array(features).fill(1), { trainable: false });
  }

  forward(z: Tensor): Transformed {
    return { value: z.mul(this.scale).add(this.center), logDet: this.scale.log().sum() };
  }

  inverse(x: Tensor): Transformed {
    return { value: x.sub(this.center).div(this.scale), logDet: this.scale.log().sum().neg() };
  }

  fitToData(data: DataRows): void {
    const full = columnMoments(data);
    for (let c = 0; c < this.features; c++) {
      const column = Float64Array.from(
        { length: data.rows },
        (_, r) => data.values[r * this.features + c],
      ).sort();
      const low = quantile(column, 0.01);
      const high = quantile(column, 0.99);
      const middle = column.filter((x) => x >= low && x <= high);
      const trimmed = columnMoments({ rows: middle.length, features: 1, values: middle });
      const robust = trimmed.deviation[0] > 0;
      this.center.value[c] = robust ? trimmed.mean[0] : full.mean[c];
      this.scale.value[c] = robust ? trimmed.deviation[0] : full.deviation[c] || 1;
    }
  }

  describe(): Description {
    return { type: "standardize", features: this.features };
  }
}
