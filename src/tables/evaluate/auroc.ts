import { mean, midranks, variance } from "../../numerics/index.ts";

/** The area under the receiver operating characteristic curve, with its standard error. */
export interface Auroc {
  readonly value: number;
  readonly standardError: number;
}

/**
 * The area under the ROC curve: the probability that a positive case has a higher score than a negative one, where equal scores count
 * one half. The standard error is that of DeLong, DeLong and Clarke-Pearson (1988), computed from ranks (Sun and Xu 2014). NaN without
 * positive or negative cases, and if a score is NaN; the standard error is NaN with fewer than two positive or negative cases.
 */
export function auroc(positive: Float64Array, negative: Float64Array): Auroc {
  const [m, n] = [positive.length, negative.length];
  const joined = new Float64Array(m + n);
  joined.set(positive);
  joined.set(negative, m);
  if (joined.some(Number.isNaN)) return { value: Number.NaN, standardError: Number.NaN };
  const ranks = midranks(joined);
  const within = [midranks(positive), midranks(negative)];
  // The share of negative cases below each positive case, and the share of positive cases above each negative one.
  const above = within[0].map((rank, i) => (ranks[i] - rank) / n);
  const below = within[1].map((rank, j) => 1 - (ranks[m + j] - rank) / m);
  const value = mean(above);
  return { value, standardError: Math.sqrt(variance(above) / m + variance(below) / n) };
}
