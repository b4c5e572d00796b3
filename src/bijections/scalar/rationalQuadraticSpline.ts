import { z } from "zod";
import { concat, constant, type Tensor } from "../../graph/tensor.ts";
import {
  type ScalarTransform,
  type ScalarTransformed,
  type ScalarTransformKind,
  softClamp,
} from "./scalarTransform.ts";

const LOG_SLOPE_BOUND = Math.log(1000);

const rationalQuadraticSplineSchema = z.strictObject({
  type: z.literal("rationalQuadraticSpline"),
  /** K; a single bin would be the identity. */
  bins: z.int().min(2).default(8),
  /** B */
  bound: z.number().positive().default(5),
});

/**
 * Monotonic rational-quadratic spline on [-B, B] with K bins, the identity with slope exactly 1 outside
 * (Durkan et al. 2019, "Neural spline flows"). P = 3 K - 1: widths and heights by a softmax, inner slopes by exp,
 * each clamped smoothly first, so that no bin is thinner than about 1/1000 of the widest and slopes stay in [1/1000, 1000].
 *
 * Inside a bin with s = height / width and t = (x - x_k) / width:
 *   z = y_k + height (s t^2 + d_k t (1 - t)) / (s + (d_k + d_k+1 - 2 s) t (1 - t)).
 * Bins are found by comparisons instead of a search, so that the map runs wherever ONNX does.
 */
export function rationalQuadraticSpline(bins = 8, bound = 5): ScalarTransform {
  const parameters = 3 * bins - 1;
  return {
    parameters,
    // Feature by feature: a softmax runs over neighbours.
    columns: (features) =>
      Array.from({ length: features * parameters }, (_, i) => Math.floor(i / parameters)),
    toLatent: (x, raw) => spline(x, raw, bins, bound, false),
    toData: (z, raw) => spline(z, raw, bins, bound, true),
  };
}

function spline(u: Tensor, raw: Tensor, bins: number, bound: number, inverse: boolean): ScalarTransformed {
  const features = u.shape.at(-1) as number;
  const grouped = raw.reshape([...raw.shape.slice(0, -1), features, 3 * bins - 1]);
  const [rawWidths, rawHeights, rawSlopes] = grouped.split(-1, [bins, bins, bins - 1]);
  const widths = softClamp(rawWidths, LOG_SLOPE_BOUND / 2)
    .softmax()
    .mul(2 * bound);
  const heights = softClamp(rawHeights, LOG_SLOPE_BOUND / 2)
    .softmax()
    .mul(2 * bound);
  const slopes = softClamp(rawSlopes, LOG_SLOPE_BOUND).exp();

  const one = constant([1], [1]).broadcastTo([...slopes.shape.slice(0, -1), 1]);
  const left = edges(widths, bins, bound);
  const bottom = edges(heights, bins, bound);

  // Outside the box the argument is replaced before the formula and the result after it, so gradients stay finite.
  const inside = u.abs().less(bound);
  const safe = inside.where(u, 0);
  const bin = chosenBin(safe, inverse ? bottom : left, bins);
  const pick = (values: Tensor) => values.mul(bin).sum(-1);
  const xk = pick(left);
  const yk = pick(bottom);
  const width = pick(widths);
  const height = pick(heights);
  const d0 = pick(concat([one, slopes], -1));
  const d1 = pick(concat([slopes, one], -1));
  const s = height.div(width);
  const bend = d0.add(d1).sub(s.mul(2));

  let t: Tensor;
  if (inverse) {
    const y = safe.sub(yk);
    const yBend = y.mul(bend);
    const a = height.mul(s.sub(d0)).add(yBend);
    const b = height.mul(d0).sub(yBend);
    const c = s.mul(y).neg();
    // The root that does not cancel; rounding can take the discriminant below 0 only where it is 0.
    const root = b.square().sub(a.mul(c).mul(4)).maximum(0).sqrt();
    t = c.mul(-2).div(b.add(root));
  } else t = safe.sub(xk).div(width);

  const rest = t.neg().add(1);
  const product = t.mul(rest);
  const denominator = s.add(bend.mul(product));
  const logDerivative = s
    .mul(product)
    .mul(2)
    .add(d0.mul(rest.square()))
    .add(d1.mul(t.square()))
    .log()
    .add(s.div(denominator).log().mul(2));
  const value = inverse
    ? xk.add(t.mul(width))
    : yk.add(height.mul(s.mul(t.square()).add(d0.mul(product))).div(denominator));
  return {
    value: inside.where(value, u),
    logDerivative: inside.where(inverse ? logDerivative.neg() : logDerivative, 0),
  };
}

/** Left edges of the bins, [..., K], starting at -bound. */
const edges = (sizes: Tensor, bins: number, bound: number): Tensor =>
  sizes
    .slice(-1, 0, bins - 1)
    .cumsum(-1)
    .pad(-1, 1, 0)
    .sub(bound);

/** 1 for the bin that holds u, 0 for the others: [..., K]. */
function chosenBin(u: Tensor, left: Tensor, bins: number): Tensor {
  const expanded = u.reshape([...u.shape, 1]);
  const above = expanded.greaterEqual(left.slice(-1, 1, bins)).toFloat();
  const starts = above.pad(-1, 1, 0).add(constant([1, ...new Array(bins - 1).fill(0)], [bins]));
  return starts.sub(above.pad(-1, 0, 1));
}

export const rationalQuadraticSplineKind: ScalarTransformKind<typeof rationalQuadraticSplineSchema> = {
  schema: rationalQuadraticSplineSchema,
  build: ({ bins, bound }) => rationalQuadraticSpline(bins, bound),
  examples: () => [{ type: "rationalQuadraticSpline", bins: 5, bound: 3 }],
};
