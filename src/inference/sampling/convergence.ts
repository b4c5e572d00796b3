import { concatRows } from "../../dataset/index.ts";
import { mean, midranks, quantile } from "../../numerics/index.ts";
import { normalQuantile } from "./normalQuantile.ts";

/** Draws of one quantity from several chains of equal length: [chains][draws]. */
export type Chains = readonly Float64Array[];

/**
 * The rank-normalized split R-hat of Vehtari et al. (2021): near 1 if the chains agree; above 1.01 they have not converged. It is the
 * larger of two values: R-hat of the draws, and R-hat of their distances from the median, which shows chains with different scales. NaN
 * if all draws are equal.
 *
 * Vehtari, Gelman, Simpson, Carpenter and Buerkner, "Rank-normalization, folding, and localization: an improved R-hat for assessing
 * convergence of MCMC", Bayesian Analysis 2021.
 */
export function rHat(chains: Chains): number {
  const split = splitChains(chains);
  const median = quantile(concatRows(split).sort(), 0.5);
  const folded = split.map((chain) => chain.map((x) => Math.abs(x - median)));
  return Math.max(splitRHat(rankNormalized(split)), splitRHat(rankNormalized(folded)));
}

/** The number of independent draws that estimate the center of the distribution as precisely: the ESS of the normalized ranks. */
export const bulkEffectiveSampleSize = (chains: Chains): number =>
  effectiveSampleSize(rankNormalized(splitChains(chains)));

/** The smaller one of the effective sample sizes of the 5% and the 95% quantile. */
export function tailEffectiveSampleSize(chains: Chains): number {
  const split = splitChains(chains);
  const all = concatRows(split).sort();
  const ofQuantile = (probability: number) => {
    const bound = quantile(all, probability);
    return effectiveSampleSize(split.map((chain) => chain.map((x) => (x <= bound ? 1 : 0))));
  };
  return Math.min(ofQuantile(0.05), ofQuantile(0.95));
}

/** The effective sample size for the mean. */
export const meanEffectiveSampleSize = (chains: Chains): number => effectiveSampleSize(splitChains(chains));

/** The two halves of each chain. For an odd length, the draw in the middle is left out. */
function splitChains(chains: Chains): Float64Array[] {
  return chains.flatMap((chain) => {
    const half = chain.length >> 1;
    return [chain.subarray(0, half), chain.subarray(chain.length - half)];
  });
}

/** The draws replaced by normal quantiles of their ranks among all draws; equal draws get their average rank. */
function rankNormalized(chains: Chains): Float64Array[] {
  const ranks = midranks(concatRows(chains));
  const scores = ranks.map((rank) => normalQuantile((rank - 3 / 8) / (ranks.length + 1 / 4)));
  const { length } = chains[0];
  return chains.map((_, c) => scores.subarray(c * length, (c + 1) * length));
}

/** R-hat: the square root of the ratio of the variance of the distribution to the variance within chains. */
function splitRHat(chains: Chains): number {
  const { within, total } = variancesOf(chains);
  return Math.sqrt(total / within);
}

/** The mean variance within the chains, and the estimate of the variance of the distribution from within and between them. */
function variancesOf(chains: Chains): { within: number; total: number } {
  const n = chains[0].length;
  const means = chains.map(mean);
  const within = mean(chains.map((chain, i) => sumOfSquares(chain, means[i]) / (n - 1)));
  const between = chains.length > 1 ? sumOfSquares(means, mean(means)) / (chains.length - 1) : 0;
  return { within, total: ((n - 1) / n) * within + between };
}

/**
 * Number of independent draws with the same variance of the mean: count / tau, with the autocorrelation time tau = 1 + 2 sum rho_t summed
 * by Geyer's initial monotone sequence of the pairs rho_2k + rho_2k+1.
 */
function effectiveSampleSize(chains: Chains): number {
  const n = chains[0].length;
  const count = chains.length * n;
  const { within, total } = variancesOf(chains);
  if (!(total > 0)) return Number.NaN;
  const means = chains.map(mean);
  const autocorrelation = (lag: number) => {
    const covariance = mean(chains.map((chain, c) => autocovariance(chain, means[c], lag)));
    return 1 - (within - covariance) / total;
  };
  let time = -1;
  let previous = Number.POSITIVE_INFINITY;
  for (let lag = 0; lag + 1 < n; lag += 2) {
    const even = lag === 0 ? 1 : autocorrelation(lag);
    const pair = even + autocorrelation(lag + 1);
    if (!(pair > 0)) {
      time += Math.max(0, even);
      break;
    }
    previous = Math.min(previous, pair);
    time += 2 * previous;
  }
  // Negative autocorrelations may make the time so small that the estimate is not reliable.
  return count / Math.max(time, 1 / Math.log10(count));
}

/** sum (x_i - mean)(x_i+lag - mean) / n. */
function autocovariance(chain: ArrayLike<number>, center: number, lag: number): number {
  let sum = 0;
  for (let i = lag; i < chain.length; i++) sum += (chain[i] - center) * (chain[i - lag] - center);
  return sum / chain.length;
}

function sumOfSquares(values: ArrayLike<number>, center: number): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += (values[i] - center) ** 2;
  return sum;
}
