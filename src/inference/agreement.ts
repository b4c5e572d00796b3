import { quantile } from "../numerics/index.ts";
import type { ImportanceResult } from "../train/index.ts";
import { meanEffectiveSampleSize } from "./sampling/convergence.ts";
import { normalQuantile } from "./sampling/normalQuantile.ts";

/** The probability that a disagreement is reported although weighted draws and chains have the same distribution. */
const FALSE_ALARM_PROBABILITY = 1e-3;

/** Quantiles of the chains. The shares of chains and weights below them are compared: at the center and in both tails. */
const PROBABILITIES = [0.05, 0.5, 0.95] as const;

/** A difference between chains and weighted draws that Monte Carlo error does not explain. */
export interface Disagreement {
  /** The index of the unconstrained coordinate. */
  readonly coordinate: number;
  /** The share of the chains' draws below a value of the coordinate. */
  readonly chains: number;
  /** The share of the weights below the same value. */
  readonly weighted: number;
  /** The difference in standard errors. */
  readonly standardErrors: number;
}

/**
 * Compares draws of chains, [n, D] one chain after the other, with weighted draws of a flow. For each coordinate, the shares below the
 * 5%, 50% and 95% quantiles of the chains are compared; shares have a finite variance whatever the tails. Returns the largest difference
 * if it is significant, corrected for the number of comparisons (Bonferroni).
 *
 * Chains and weights estimate the same posterior from different points, so the shares differ if only one of them misses a part of the mass.
 */
export function findDisagreement(
  rows: Float64Array,
  chains: number,
  { samples, logWeights }: Pick<ImportanceResult, "samples" | "logWeights">,
): Disagreement | undefined {
  const weights = logWeights.map(Math.exp);
  const features = samples.length / weights.length;
  const n = rows.length / features;
  const length = n / chains;
  let largest: Disagreement | undefined;
  for (let coordinate = 0; coordinate < features; coordinate++) {
    const values = Float64Array.from({ length: n }, (_, k) => rows[k * features + coordinate]);
    const ascending = values.toSorted();
    for (const probability of PROBABILITIES) {
      const bound = quantile(ascending, probability);
      const isBelow = values.map((value) => (value <= bound ? 1 : 0));
      const ofChains = isBelow.reduce((a, b) => a + b, 0) / n;
      const effective = meanEffectiveSampleSize(
        Array.from({ length: chains }, (_, c) => isBelow.subarray(c * length, (c + 1) * length)),
      );
      // A constant coordinate has no effective sample size, and nothing to compare.
      if (!Number.isFinite(effective)) continue;
      let weighted = 0;
      weights.forEach((weight, i) => {
        if (samples[i * features + coordinate] <= bound) weighted += weight;
      });
      const variance = weights.reduce(
        (sum, weight, i) => {
          const below = samples[i * features + coordinate] <= bound ? 1 : 0;
          return sum + (weight * (below - weighted)) ** 2;
        },
        (ofChains * (1 - ofChains)) / effective,
      );
      const standardErrors = Math.abs(ofChains - weighted) / Math.sqrt(variance);
      if (standardErrors > (largest?.standardErrors ?? 0))
        largest = { coordinate, chains: ofChains, weighted, standardErrors };
    }
  }
  const comparisons = features * PROBABILITIES.length;
  const bound = -normalQuantile(FALSE_ALARM_PROBABILITY / (2 * comparisons));
  return largest && largest.standardErrors > bound ? largest : undefined;
}
