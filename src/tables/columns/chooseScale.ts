import { scaledValue, scaleSlope, type ValueScale } from "../../bijections/index.ts";
import { mean } from "../../numerics/index.ts";
import { type Knots, quantileKnots } from "../densities/index.ts";

/** Another scale replaces the first candidate only if its mean log-density is larger by this, in nats per row: noise must not decide. */
const MIN_GAIN_NATS = 0.005;
/** Scales are compared on at most about this many rows; more do not change the choice. */
const MAX_ROWS = 10_000;

/**
 * Chooses the scale of a column. The first candidate is replaced by another one if this improves two densities:
 *
 * - that of the quantile map of one half of the values, evaluated on the other half (twofold cross-validation)
 * - the logistic density on the scale. The members of a model that are linear or have few components need a scale on which the column is
 *   nearly logistic, but a quantile map fits equal frequencies on any scale, such as those of ages or percentages.
 *
 * `sorted` has the values in ascending order, inside the bounds of all candidates. `width` is 1 if the values are cells of a lattice, and 0 (the
 * default) for continuous values.
 */
export function chooseScale(
  sorted: ArrayLike<number>,
  candidates: readonly ValueScale[],
  { width = 0 } = {},
): ValueScale {
  const [first, ...alternatives] = candidates as [ValueScale, ...ValueScale[]];
  if (alternatives.length === 0 || sorted.length < 8) return first;
  const stride = Math.max(1, Math.ceil(sorted.length / MAX_ROWS));
  const half = (offset: number) => {
    const out: number[] = [];
    for (let i = offset * stride; i < sorted.length; i += 2 * stride) out.push(sorted[i]);
    return out;
  };
  const halves = [half(0), half(1)] as const;
  const score = (scale: ValueScale) =>
    meanLogDensity(halves[0], halves[1], scale, width) + meanLogDensity(halves[1], halves[0], scale, width);
  const ofFirst = logisticLogDensity(sorted, first);
  let best = { scale: first, value: score(first) + 2 * MIN_GAIN_NATS };
  for (const scale of alternatives) {
    const value = score(scale);
    if (value > best.value && logisticLogDensity(sorted, scale) > ofFirst) best = { scale, value };
  }
  return best.scale;
}

/**
 * The mean of log p(x), where p is the density for which y = scale(x) has a logistic distribution with the mean and the variance of these
 * values. -Infinity if they are equal.
 */
function logisticLogDensity(values: ArrayLike<number>, scale: ValueScale): number {
  const y = Float64Array.from(values, (x) => scaledValue(scale, x));
  const center = mean(y);
  const unit = Math.sqrt((3 * mean(y.map((each) => (each - center) ** 2))) / Math.PI ** 2);
  if (!(unit > 0)) return Number.NEGATIVE_INFINITY;
  const logSlopes = Float64Array.from(values, (x) => Math.log(scaleSlope(scale, x) / unit));
  return mean(y.map((each, i) => logLogistic((each - center) / unit) + logSlopes[i]));
}

/** The log-density of the standard logistic distribution. */
function logLogistic(z: number): number {
  const size = Math.abs(z);
  return -size - 2 * Math.log1p(Math.exp(-size));
}

/**
 * The mean of log p(x) = log logistic(z) + log dz/dy + log dy/dx over the values of `heldOut`, where y = scale(x), and z is the quantile map of
 * `rows`: the density p of x for which z(y) has a standard logistic distribution.
 */
function meanLogDensity(
  rows: readonly number[],
  heldOut: readonly number[],
  scale: ValueScale,
  width: number,
): number {
  const knots = quantileKnots(rows, { width, scale });
  let sum = 0;
  for (const x of heldOut) {
    const y = scaledValue(scale, x);
    const { z, slope } = piecewiseLinear(knots, y);
    sum += logLogistic(z) + Math.log(slope) + Math.log(scaleSlope(scale, x));
  }
  return sum / heldOut.length;
}

/** z(y) interpolated linearly between the knots, which is close enough to compare scales. */
function piecewiseLinear({ x, z, slope }: Knots, y: number): { z: number; slope: number } {
  const last = x.length - 1;
  if (y <= x[0]) return { z: z[0] + slope[0] * (y - x[0]), slope: slope[0] };
  if (y >= x[last]) return { z: z[last] + slope[last] * (y - x[last]), slope: slope[last] };
  let [low, high] = [0, last];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (x[middle] <= y) low = middle;
    else high = middle;
  }
  const secant = (z[high] - z[low]) / (x[high] - x[low]);
  return { z: z[low] + secant * (y - x[low]), slope: secant };
}
