import { MAX_LOG_SCALE, softClamp } from "./softClamp.ts";
import type { CoordinateMap } from "./terms.ts";

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
