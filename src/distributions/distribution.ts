import type { DataRows } from "../bijections/bijection.ts";
import type { OuterStandardization } from "../bijections/outerStandardization.ts";
import type { Support } from "../bijections/support.ts";
import type { Description, Kind, KindSchema } from "../description.ts";
import type { Tensor } from "../graph/tensor.ts";
import type { Limits } from "../limits.ts";

/** Random numbers that sampling a row needs: `size` standard normal or uniform (0, 1) numbers. */
export interface Noise {
  readonly kind: "normal" | "uniform";
  readonly size: number;
}

/** A density over rows [N, D] that can be drawn from: the base of a flow. */
export interface Distribution {
  readonly features: number;
  /** Number of context features C; 0 for an unconditional distribution. */
  readonly context: number;
  /** log p(x | context) of each row in nats: [N, D], [N, C] -> [N]; -Infinity outside the support, with gradient 0. */
  logProb(x: Tensor, context?: Tensor): Tensor;
  /** What `sample` takes, in order; each becomes a tensor [N, size]. */
  readonly noise: readonly Noise[];
  /** Turns noise into rows [N, D] of this distribution. */
  sample(noise: readonly Tensor[], context?: Tensor): Tensor;
  describe(): Description;
  /** Where rows have a positive density, if not anywhere. */
  readonly support?: Support | undefined;
  /**
   * Sets the parameters from rows, where that is better than gradient steps from a fixed start; held-out rows may decide
   * between choices. What takes long ends early where a limit is reached, with parameters that are usable. Absent if it takes
   * nothing from data.
   */
  readonly fitToData?: FitDistribution | undefined;
  /** The standardization next to the data. */
  readonly dataStandardization?: OuterStandardization<Distribution> | undefined;
  /** The standardization of the context. */
  readonly contextStandardization?: OuterStandardization<Distribution> | undefined;
}

/** Sets parameters from rows. */
export type FitDistribution = (rows: DataRows, heldOut?: DataRows, limits?: Limits) => void | Promise<void>;

/** What the registry holds of each distribution. */
export type DistributionKind<S extends KindSchema> = Kind<Distribution, S>;

export const HALF_LOG_2_PI = 0.5 * Math.log(2 * Math.PI);

/**
 * Where squares stop: far out, at 10^10 deviations. Squares themselves would overflow float32 at 10^19, but gradients are
 * products of more factors of that size. From here on the log-density is constant and its gradient 0.
 */
export const LOWEST_SQUARES = -1e20;

/** -|x|^2 / 2 over the last axis, kept from falling below -10^20. */
export const halfSquares = (x: Tensor): Tensor => x.square().sum(-1).mul(-0.5).maximum(LOWEST_SQUARES);

/** `logProb` [N] where all features of a row are `inside` [N, D], -Infinity elsewhere; a NaN is neither, and stays NaN. */
export function onSupport(x: Tensor, inside: Tensor, logProb: Tensor): Tensor {
  const some = (condition: Tensor) => condition.toFloat().sum(1).greater(0);
  const outside = some(inside.not());
  return some(x.equal(x).not()).where(Number.NaN, outside.where(Number.NEGATIVE_INFINITY, logProb));
}
