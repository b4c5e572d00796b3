import * as z from "zod/mini";
import { parse } from "../check/index.ts";
import { Parameter, type Tensor } from "../graph/index.ts";
import { type Description, sizeSchema } from "../parts/index.ts";
import type { Floats } from "../runtime/index.ts";
import type { Bijection, BijectionKind, DataRows, Transformed } from "./bijection.ts";
import { Identity } from "./identity.ts";
import { columnMoments, winsorizedRange } from "./moments.ts";
import type { OuterStandardization } from "./outerStandardization.ts";

const standardizeSchema = z.strictObject({ type: z.literal("standardize"), features: sizeSchema });

/** The fraction of a column at either end that is winsorized. */
const WINSORIZED_FRACTION = 0.01;
/** A column is constant if its deviation is below this fraction of its mean: some 16 float64 rounding errors. */
const MIN_RELATIVE_DEVIATION = 2 ** -48;
/** A scale between these bounds and its reciprocal are normal numbers of float32. */
const FLOAT32 = { smallest: 1e-37, largest: 1e37, epsilon: 2 ** -23 };
/**
 * The largest distance between neighboring float32 numbers, in standard deviations. Rounding then changes z by at most 0.0005,
 * which changes log-densities by less than the rounding errors of a float32 graph of several layers.
 */
const MAX_ROUNDING_DEVIATIONS = 2 ** -10;
/** Rows are standardized in float64, before the graph, so centers and scales may be any float64 numbers. */
const POSITIVE = { min: Number.MIN_VALUE, max: Number.MAX_VALUE };
const ANY_NUMBER = { min: -Number.MAX_VALUE, max: Number.MAX_VALUE };

/**
 * x_i = z_i scale_i + center_i with center and scale fitted to the data and then fixed, so that densities are in data units.
 *
 * Center and scale are the mean and the standard deviation of the winsorized column: its lowest and highest hundredth are
 * replaced by the nearest other value, so that far outliers do not dominate the scale. A column whose winsorized values are
 * all equal has its plain mean and deviation, and a constant column the scale 1.
 */
export class Standardize implements Bijection {
  readonly features: number;
  readonly context = 0;
  readonly center: Parameter;
  readonly scale: Parameter;

  /** `features` is D. Throws `ARGUMENT` if it is not a positive integer. */
  constructor(options: { features: number }) {
    const { features } = parse(standardizeSchema, { type: "standardize", ...options }, "a standardization");
    this.features = features;
    this.center = new Parameter([features], () => new Float64Array(features), {
      trainable: false,
      domain: ANY_NUMBER,
    });
    this.scale = new Parameter([features], () => new Float64Array(features).fill(1), {
      trainable: false,
      domain: POSITIVE,
    });
  }

  /** The map x = z scale + center with this center and scale, both [D]. Throws `ARGUMENT` for empty arrays, and `SHAPE` for arrays of different lengths. */
  static of(center: ArrayLike<number>, scale: ArrayLike<number>): Standardize {
    const standardize = new Standardize({ features: center.length });
    standardize.center.take(Float64Array.from(center));
    standardize.scale.take(Float64Array.from(scale));
    return standardize;
  }

  forward(z: Tensor): Transformed {
    return { value: z.mul(this.scale).add(this.center), logDet: this.scale.log().sum() };
  }

  inverse(x: Tensor): Transformed {
    return { value: x.sub(this.center).div(this.scale), logDet: this.scale.log().sum().neg() };
  }

  fitToData({ rows, features, values, weights }: DataRows): void {
    for (let c = 0; c < features; c++) {
      const column = Float64Array.from({ length: rows }, (_, r) => values[r * features + c]);
      const [low, high] = winsorizedRange(column, WINSORIZED_FRACTION, weights);
      const winsorized = column.map((x) => Math.min(Math.max(x, low), high));
      const robust = momentsOf(winsorized, weights);
      const { mean, deviation } = robust.deviation > 0 ? robust : momentsOf(column, weights);
      this.center.value[c] = mean;
      this.scale.value[c] = deviation || 1;
    }
  }

  /** Sets center and scale such that winsorized x = z scale + center has mean 0 and standard deviation 1. */
  fitToLatent(rows: DataRows): void {
    const { center, scale } = this;
    this.fitToData(rows);
    for (let c = 0; c < rows.features; c++) {
      center.value[c] /= -scale.value[c];
      scale.value[c] = 1 / scale.value[c];
    }
  }

  get dataStandardization(): OuterStandardization<Bijection> {
    return { standardize: this, relativeTo: (outer) => this.relativeTo(outer) };
  }

  /** This map followed by the inverse of `outer`, z -> ((z scale + center) - outer.center) / outer.scale, computed in float64. */
  relativeTo(outer: Standardize): Standardize | Identity {
    const { features } = outer;
    if (this === outer) return new Identity({ features });
    const { center, scale } = this.composedWith(outer);
    const isIdentity = center.numbers.every((c) => c === 0) && scale.numbers.every((s) => s === 1);
    return isIdentity ? new Identity({ features }) : Standardize.of(center.numbers, scale.numbers);
  }

  /** As `relativeTo`, but a `Standardize` also where the result is the identity. */
  composedWith(outer: Standardize): Standardize {
    const scales = outer.scale.numbers;
    return Standardize.of(
      outer.toLatent(this.center.numbers),
      Array.from(this.scale.numbers, (s, i) => s / scales[i]),
    );
  }

  /** (x - center) / scale of rows [N, D], computed in float64 and written to `out`. */
  toLatent<T extends Floats = Float64Array>(x: Floats, out: T = new Float64Array(x.length) as T): T {
    const { features } = this;
    const [center, scale] = [this.center.numbers, this.scale.numbers];
    for (let i = 0, c = 0; i < x.length; i++) {
      out[i] = (x[i] - center[c]) / scale[c];
      if (++c === features) c = 0;
    }
    return out;
  }

  /** z scale + center of rows [N, D], computed in float64 and written to `out`. */
  toData<T extends Floats = Float64Array>(z: Floats, out: T = new Float64Array(z.length) as T): T {
    const { features } = this;
    const [center, scale] = [this.center.numbers, this.scale.numbers];
    for (let i = 0, c = 0; i < z.length; i++) {
      out[i] = z[i] * scale[c] + center[c];
      if (++c === features) c = 0;
    }
    return out;
  }

  /** sum log scale = log |det dx/dz|. */
  logScale(): number {
    return Array.from(this.scale.numbers).reduce((sum, s) => sum + Math.log(s), 0);
  }

  describe(): Description {
    return { type: "standardize", features: this.features };
  }
}

/**
 * Whether numbers of this size and standard deviation must be standardized in float64: neighboring float32 numbers are too far
 * apart, or float32 does not hold the scale.
 */
export const needsFloat64 = (size: number, deviation: number): boolean =>
  deviation < FLOAT32.smallest ||
  Math.max(deviation, size) > FLOAT32.largest ||
  FLOAT32.epsilon * size > MAX_ROUNDING_DEVIATIONS * deviation;

/** Mean and standard deviation of one column; a deviation of the size of rounding errors counts as 0. */
function momentsOf(values: Float64Array, weights?: Float64Array): { mean: number; deviation: number } {
  const moments = columnMoments({ rows: values.length, features: 1, values, weights });
  const [mean] = moments.mean;
  const [deviation] = moments.deviation;
  return { mean, deviation: deviation > MIN_RELATIVE_DEVIATION * Math.abs(mean) ? deviation : 0 };
}

export const standardizeKind: BijectionKind<typeof standardizeSchema> = {
  schema: standardizeSchema,
  build: (description) => new Standardize(description),
};
