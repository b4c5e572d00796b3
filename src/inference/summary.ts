import { sizeOf } from "../graph/index.ts";
import { mean, quantile, variance } from "../numerics/index.ts";
import type { Draws } from "./draws.ts";
import { type Declarations, elementNames } from "./model.ts";
import { bulkEffectiveSampleSize, rHat, tailEffectiveSampleSize } from "./sampling/convergence.ts";

/** What the draws say about one number of a parameter. */
export interface ParameterSummary {
  /** Such as `mu` or `theta[0]`. */
  readonly name: string;
  readonly mean: number;
  readonly sd: number;
  /** The quantiles 0.05, 0.5 and 0.95. */
  readonly q5: number;
  readonly median: number;
  readonly q95: number;
  /** Rank-normalized split R-hat: below 1.01 if the chains agree. NaN for a constant, and without chains. */
  readonly rHat: number;
  /** Effective sample size of the center of the distribution. NaN where `rHat` is NaN. */
  readonly bulkEffectiveSampleSize: number;
  /** Effective sample size of its quantiles 0.05 and 0.95. NaN where `rHat` is NaN. */
  readonly tailEffectiveSampleSize: number;
}

/** Summaries of all numbers of the parameters, from draws of `chains` chains, one after the other; 0 for independent draws. */
export function summarize<D extends Declarations>(
  parameters: D,
  draws: Draws<D>,
  chains: number,
): ParameterSummary[] {
  const names = elementNames(parameters);
  let next = 0;
  return Object.entries(parameters).flatMap(([parameter, { shape }]) => {
    const size = sizeOf(shape);
    const values: Float64Array = draws[parameter];
    const n = values.length / size;
    return Array.from({ length: size }, (_, i) =>
      summarizeElement(
        names[next++],
        Float64Array.from({ length: n }, (_, k) => values[k * size + i]),
        chains,
      ),
    );
  });
}

function summarizeElement(name: string, values: Float64Array, chains: number): ParameterSummary {
  const n = values.length;
  const center = mean(values);
  const sd = Math.sqrt(variance(values, center));
  const ascending = values.toSorted();
  const length = n / chains;
  const byChain = Array.from({ length: chains }, (_, c) => values.subarray(c * length, (c + 1) * length));
  const hasChains = chains > 0 && sd > 0;
  return {
    name,
    mean: center,
    sd,
    q5: quantile(ascending, 0.05),
    median: quantile(ascending, 0.5),
    q95: quantile(ascending, 0.95),
    rHat: hasChains ? rHat(byChain) : Number.NaN,
    bulkEffectiveSampleSize: hasChains ? bulkEffectiveSampleSize(byChain) : Number.NaN,
    tailEffectiveSampleSize: hasChains ? tailEffectiveSampleSize(byChain) : Number.NaN,
  };
}
