import { concat, constant, logOneMinusExp, type Tensor } from "../graph/index.ts";
import { inversePermutation } from "../nn/index.ts";
import type { ValueScale } from "./valueScaleSchema.ts";

/**
 * Distances from a bound, in units if the scale has a unit, are clamped to at least this, so that their logarithms and the gradients of
 * the logarithms are finite in float32.
 */
const MIN_DISTANCE = 1e-30;
/** Beyond this number of units y is constant. The square is finite in float32, and so are products of a few gradients with it. */
const MAX_UNITS = 1e15;
/** exp(80) = 6e34 is finite in float32. */
const MAX_EXPONENT = 80;

/** The map y(x) of a scale for one number: -Infinity or Infinity at a bound, and NaN outside the bounds. */
export function scaledValue(scale: ValueScale, x: number): number {
  switch (scale.type) {
    case "linear":
      return x;
    case "asinh":
      return Math.asinh(x / scale.unit);
    case "log":
      return Math.log(x - scale.low);
    case "inverseSoftplus":
      return x - scale.low + scale.unit * Math.log(-Math.expm1((scale.low - x) / scale.unit));
    case "reversedLog":
      return -Math.log(scale.high - x);
    case "logit":
      return Math.log(x - scale.low) - Math.log(scale.high - x);
  }
}

/** x(y) of a scale for one number. */
export function unscaledValue(scale: ValueScale, y: number): number {
  switch (scale.type) {
    case "linear":
      return y;
    case "asinh":
      return scale.unit * Math.sinh(y);
    case "log":
      return scale.low + Math.exp(y);
    case "inverseSoftplus":
      return scale.low + Math.max(0, y) + scale.unit * Math.log1p(Math.exp(-Math.abs(y) / scale.unit));
    case "reversedLog":
      return scale.high - Math.exp(-y);
    case "logit":
      return scale.low + (scale.high - scale.low) / (1 + Math.exp(-y));
  }
}

/** dy/dx of a scale at one number inside the bounds. */
export function scaleSlope(scale: ValueScale, x: number): number {
  switch (scale.type) {
    case "linear":
      return 1;
    case "asinh":
      return 1 / Math.hypot(x, scale.unit);
    case "log":
      return 1 / (x - scale.low);
    case "inverseSoftplus":
      return -1 / Math.expm1((scale.low - x) / scale.unit);
    case "reversedLog":
      return 1 / (scale.high - x);
    case "logit":
      return 1 / (x - scale.low) + 1 / (scale.high - x);
  }
}

/** The value of a map or of its inverse, and log dy/dx there, both [S, N]. */
export interface Scaled {
  readonly value: Tensor;
  readonly logSlope: Tensor;
}

/** The map of S columns that have scales of one type, on tensors [S, N]. */
class ScaleMapOfType {
  private readonly type: ValueScale["type"];
  /** The unit or a bound of each column, [S, 1]. Undefined if the type has none. */
  private readonly unit: Tensor | undefined;
  private readonly low: Tensor | undefined;
  private readonly high: Tensor | undefined;

  constructor(scales: readonly ValueScale[]) {
    this.type = scales[0].type;
    const perColumn = (key: "unit" | "low" | "high") =>
      key in scales[0]
        ? constant(
            scales.map((scale) => (scale as unknown as Record<typeof key, number>)[key]),
            [scales.length, 1],
          )
        : undefined;
    this.unit = perColumn("unit");
    this.low = perColumn("low");
    this.high = perColumn("high");
  }

  /** y and log dy/dx at x [S, N]. They are finite outside the bounds too, where `contains` is false. */
  forward(x: Tensor): Scaled {
    const { unit, low } = this;
    if (this.type === "linear") return { value: x, logSlope: x.mul(0) };
    if (unit && low) {
      const distance = x.sub(low).maximum(0);
      const log = logOneMinusExp(distance.div(unit).maximum(MIN_DISTANCE));
      return { value: distance.add(log.mul(unit)), logSlope: log.neg() };
    }
    if (unit) {
      const u = x.div(unit).maximum(-MAX_UNITS).minimum(MAX_UNITS);
      const size = u.abs();
      const root = u.square().add(1).sqrt();
      const magnitude = size.add(u.square().div(root.add(1))).log1p();
      return { value: u.less(0).where(magnitude.neg(), magnitude), logSlope: root.mul(unit).log().neg() };
    }
    const logLow = low && x.sub(low).maximum(MIN_DISTANCE).log();
    const logHigh = this.high?.sub(x).maximum(MIN_DISTANCE).log();
    if (!logHigh) return { value: logLow!, logSlope: logLow!.neg() };
    if (!logLow) return { value: logHigh.neg(), logSlope: logHigh.neg() };
    const logRange = this.high!.sub(low!).log();
    return { value: logLow.sub(logHigh), logSlope: logRange.sub(logLow).sub(logHigh) };
  }

  /**
   * x and log dy/dx at y [S, N]. If there are bounds, the slope is computed from y, because the distance of x from a bound may be below the
   * precision of x.
   */
  inverse(y: Tensor): Scaled {
    const { unit, low, high } = this;
    const bounded = y.maximum(-MAX_EXPONENT).minimum(MAX_EXPONENT);
    if (low && high) {
      const range = high.sub(low);
      const logSlope = y.softplus().add(y.neg().softplus()).sub(range.log());
      return { value: low.add(range.mul(y.sigmoid())), logSlope };
    }
    if (unit && low) {
      const u = y.div(unit).maximum(-MAX_EXPONENT);
      const distance = y.maximum(0).add(u.abs().neg().softplus().mul(unit)).maximum(MIN_DISTANCE);
      return { value: low.add(distance), logSlope: u.neg().softplus() };
    }
    if (low) return { value: low.add(bounded.exp()), logSlope: bounded.neg() };
    if (high) return { value: high.sub(bounded.neg().exp()), logSlope: bounded };
    const x = unit ? bounded.exp().sub(bounded.neg().exp()).mul(0.5).mul(unit) : y;
    return { value: x, logSlope: this.forward(x).logSlope };
  }
}

/** The maps of S columns, on tensors [S, N]. */
export class ScaleMap {
  private readonly scales: readonly ValueScale[];
  /** For each type of scale, the map of all its columns, so that the graph has few nodes. */
  private readonly parts: readonly { readonly map: ScaleMapOfType; readonly columns: readonly number[] }[];

  constructor(scales: readonly ValueScale[]) {
    this.scales = scales;
    this.parts = [...new Set(scales.map(({ type }) => type))].map((type) => {
      const columns = [...scales.keys()].filter((i) => scales[i].type === type);
      return { map: new ScaleMapOfType(columns.map((i) => scales[i])), columns };
    });
  }

  /** y and log dy/dx at x [S, N]. They are finite outside the bounds too, where `contains` is false. */
  forward(x: Tensor): Scaled {
    return this.joined(x, (map, columns) => map.forward(columns));
  }

  /** x and log dy/dx at y [S, N]. */
  inverse(y: Tensor): Scaled {
    return this.joined(y, (map, columns) => map.inverse(columns));
  }

  /** Whether x [S, N] lies strictly between the bounds; undefined without bounds. */
  contains(x: Tensor): Tensor | undefined {
    const bounds = (key: "low" | "high", none: number) =>
      this.scales.some((scale) => key in scale)
        ? constant(
            this.scales.map((scale) => (scale as Partial<Record<typeof key, number>>)[key] ?? none),
            [this.scales.length, 1],
          )
        : undefined;
    const [low, high] = [bounds("low", Number.NEGATIVE_INFINITY), bounds("high", Number.POSITIVE_INFINITY)];
    const above = low && x.greater(low);
    const below = high && x.less(high);
    return above && below ? above.and(below) : (above ?? below);
  }

  /** The results of `apply` for the columns of each type of scale, in the order of the columns. */
  private joined(all: Tensor, apply: (map: ScaleMapOfType, columns: Tensor) => Scaled): Scaled {
    const { parts } = this;
    if (parts.length === 1) return apply(parts[0].map, all);
    const results = parts.map(({ map, columns }) => apply(map, all.gather(0, columns)));
    const order = inversePermutation(parts.flatMap(({ columns }) => columns));
    const join = (numbers: readonly Tensor[]) => concat(numbers, 0).gather(0, order);
    return {
      value: join(results.map(({ value }) => value)),
      logSlope: join(results.map(({ logSlope }) => logSlope)),
    };
  }
}
