import { quantileKnots } from "../distributions/heads/quantileKnots.ts";
import type { Knots } from "../distributions/heads/quantileMap.ts";
import { scaledValue, scaleSlope, type ValueScale } from "../distributions/heads/valueScale.ts";

/** Another scale replaces the first candidate only if its mean log-density is larger by this, in nats per row: noise must not decide. */
const MIN_GAIN_NATS = 0.005;
/** Scales are compared on at most about this many rows; more do not change the choice. */
const MAX_ROWS = 10_000;

/**
 * Chooses the scale of a column by twofold cross-validation: the quantile map of one half of the values gives a density, which is evaluated
 * on the other half. `sorted` has the values in ascending order, inside the bounds of all candidates. `width` is 1 if the values are cells
 * of a lattice, and 0 (the default) for continuous values.
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
  let best = { scale: first, value: score(first) + 2 * MIN_GAIN_NATS };
  for (const scale of alternatives) {
    const value = score(scale);
    if (value > best.value) best = { scale, value };
  }
  return best.scale;
}

/**
 * The mean of log p(x) = -|z| - 2 log(1 + exp(-|z|)) + log dz/dy + log dy/dx over the values of `heldOut`, where y = scale(x), and z is
 * the quantile map of `rows`: the density p of x for which z(y) has a standard logistic distribution.
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
    const size = Math.abs(z);
    sum += -size - 2 * Math.log1p(Math.exp(-size)) + Math.log(slope) + Math.log(scaleSlope(scale, x));
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
