import { MAX_LOG_SCALE, softClamp } from "./softClamp.ts";
import type { CoordinateMap, SplineBin } from "./terms.ts";

/** The outputs of a network for the spline of one coordinate with K bins: K widths, K heights and K - 1 inner derivatives. */
export interface RawSpline {
  readonly widths: readonly number[];
  readonly heights: readonly number[];
  readonly derivatives: readonly number[];
}

/** The widest bin is at most 1000 times as wide as the narrowest. */
const MAX_LOG_SIZE = MAX_LOG_SCALE / 2;

/** The map of x by a spline on [-bound, bound], which is the identity outside. */
export function splineMap(
  { widths, heights, derivatives }: RawSpline,
  bound: number,
  x: number,
): CoordinateMap {
  if (Math.abs(x) >= bound) return { type: "identity" };
  const [xs, zs] = [edges(widths, bound), edges(heights, bound)];
  // The last edge may be below the bound by rounding.
  const k = Math.min(
    widths.length - 1,
    xs.findLastIndex((edge) => edge <= x),
  );
  // The derivatives at both ends are those of the identity outside.
  const slopes = [1, ...derivatives.map((raw) => Math.exp(softClamp(raw))), 1];
  return {
    type: "spline",
    bin: {
      x: [xs[k]!, xs[k + 1]!],
      z: [zs[k]!, zs[k + 1]!],
      derivatives: [slopes[k]!, slopes[k + 1]!],
    },
  };
}

/**
 * The rational-quadratic function of a bin at x (Durkan et al. 2019): the position `xi` of x in the bin, from 0 to 1, the slope `s` of the
 * bin's diagonal, the denominator `c`, the value as its position in the bin, from 0 to 1, and as `z`, and its derivative.
 */
export function rationalQuadratic({ x: [x0, x1], z: [z0, z1], derivatives: [d0, d1] }: SplineBin, x: number) {
  const s = (z1 - z0) / (x1 - x0);
  const xi = (x - x0) / (x1 - x0);
  const q = xi * (1 - xi);
  const c = s + (d0 + d1 - 2 * s) * q;
  const position = (s * xi ** 2 + d0 * q) / c;
  const slope = (s ** 2 * (d1 * xi ** 2 + 2 * s * q + d0 * (1 - xi) ** 2)) / c ** 2;
  return { xi, s, c, position, z: z0 + (z1 - z0) * position, slope };
}

/** The edges of bins on [-bound, bound] from the numerators of a softmax. */
function edges(raw: readonly number[], bound: number): number[] {
  const sizes = raw.map((value) => Math.exp(softClamp(value, MAX_LOG_SIZE)));
  const total = sizes.reduce((sum, size) => sum + size, 0);
  let end = -bound;
  return [
    end,
    ...sizes.map((size) => {
      end += (2 * bound * size) / total;
      return end;
    }),
  ];
}
