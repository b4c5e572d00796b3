import * as z from "zod/mini";
import { sizeSchema } from "../description.ts";
import { Parameter } from "../graph/parameter.ts";
import type { Tensor } from "../graph/tensor.ts";
import { parse } from "../parse.ts";
import type { Floats } from "../runtime/compile.ts";
import type { Bijection, BijectionKind, DataRows, Description, Transformed } from "./bijection.ts";
import { Identity } from "./identity.ts";
import { columnMoments, middleRange } from "./moments.ts";
import type { OuterStandardization } from "./outerStandardization.ts";

const standardizeSchema = z.strictObject({ type: z.literal("standardize"), features: sizeSchema });

/** Share of a column at either end that cannot stretch its scale. */
const TAIL = 0.01;
/** A deviation this small beside the values themselves, some 16 float64 roundings, is rounding, and the column constant. */
const RESOLUTION = 2 ** -48;
/** Float32 holds scales between these, and their reciprocals. */
const FLOAT32 = { smallest: 1e-37, largest: 1e37, epsilon: 2 ** -23 };
/**
 * Most that neighboring float32 numbers may be apart, in deviations. Rounding then changes z by at most 0.0005, and log-densities
 * by less than float32 graphs of several layers do themselves.
 */
const MAX_ROUNDING = 2 ** -10;
/** Data are centered and scaled in float64, before the graph. */
const POSITIVE = { min: Number.MIN_VALUE, max: Number.MAX_VALUE };
const ANY_NUMBER = { min: -Number.MAX_VALUE, max: Number.MAX_VALUE };

/**
 * x_i = z_i scale_i + center_i, both taken from the data and then fixed, so that densities are in data units.
 *
 * They are robust: the mean and the deviation of a column with its lowest and highest hundredth moved in to where the
 * rest ends (winsorized), so a far outlier does not squash the rest. A column that is constant but for such a hundredth
 * takes its plain mean and deviation, and one that is wholly constant the scale 1.
 */
export class Standardize implements Bijection {
  readonly features: number;
  readonly context = 0;
  readonly center: Parameter;
  readonly scale: Parameter;

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

  /** The map x = z scale + center with these numbers. */
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
      const [low, high] = middleRange(column, TAIL, weights);
      const moved = column.map((x) => Math.min(Math.max(x, low), high));
      const robust = momentsOf(moved, weights);
      const { mean, deviation } = robust.deviation > 0 ? robust : momentsOf(column, weights);
      this.center.value[c] = mean;
      this.scale.value[c] = deviation || 1;
    }
  }

  /** Such that x = z scale + center has mean 0 and deviation 1, as robustly. */
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
    const same = center.numbers.every((c) => c === 0) && scale.numbers.every((s) => s === 1);
    return same ? new Identity({ features }) : Standardize.of(center.numbers, scale.numbers);
  }

  /** The same as a standardization, also where it changes nothing. */
  composedWith(outer: Standardize): Standardize {
    const scales = outer.scale.numbers;
    return Standardize.of(
      outer.toLatent(this.center.numbers),
      Array.from(this.scale.numbers, (s, i) => s / scales[i]),
    );
  }

  /** (x - center) / scale of rows [N, D], computed in float64; written to `out` if given. */
  toLatent<T extends Floats = Float64Array>(x: Floats, out: T = new Float64Array(x.length) as T): T {
    const { features } = this;
    const [center, scale] = [this.center.numbers, this.scale.numbers];
    for (let i = 0, c = 0; i < x.length; i++) {
      out[i] = (x[i] - center[c]) / scale[c];
      if (++c === features) c = 0;
    }
    return out;
  }

  /** z scale + center of rows [N, D], computed in float64; written to `out` if given. */
  toData<T extends Floats = Float64Array>(z: Floats, out: T = new Float64Array(z.length) as T): T {
    const { features } = this;
    const [center, scale] = [this.center.numbers, this.scale.numbers];
    for (let i = 0, c = 0; i < z.length; i++) {
      out[i] = z[i] * scale[c] + center[c];
      if (++c === features) c = 0;
    }
    return out;
  }

  /** sum log scale: log |det dx/dz|. */
  logScale(): number {
    return Array.from(this.scale.numbers).reduce((sum, s) => sum + Math.log(s), 0);
  }

  describe(): Description {
    return { type: "standardize", features: this.features };
  }
}

/**
 * Whether float32 is too coarse to standardize numbers of this size and deviation: neighboring float32 numbers lie too far apart,
 * or it does not hold the scale.
 */
export const needsFloat64 = (size: number, deviation: number): boolean =>
  deviation < FLOAT32.smallest ||
  Math.max(deviation, size) > FLOAT32.largest ||
  FLOAT32.epsilon * size > MAX_ROUNDING * deviation;

/** Mean and deviation of one column; the deviation is 0 where it is not more than rounding. */
function momentsOf(values: Float64Array, weights?: Float64Array): { mean: number; deviation: number } {
  const moments = columnMoments({ rows: values.length, features: 1, values, weights });
  const [mean] = moments.mean;
  const [deviation] = moments.deviation;
  return { mean, deviation: deviation > RESOLUTION * Math.abs(mean) ? deviation : 0 };
}

export const standardizeKind: BijectionKind<typeof standardizeSchema> = {
  schema: standardizeSchema,
  build: (description) => new Standardize(description),
};
