import { lowerBound } from "../../numerics/index.ts";

/**
 * Split-conformal p-values (Vovk, Gammerman and Shafer 2005; Bates et al. 2023): for a score s, where higher is more unusual,
 *
 *     p = (1 + number of calibration scores >= s) / (n + 1)
 *
 * with the scores of n rows that training did not see, in ascending order. If a new row and these rows are exchangeable, such as
 * independent rows of the same distribution, then P(p <= a) <= a for every a: no property of the model is needed. p is NaN for NaN.
 */
export function conformalPValues(scores: Float64Array, calibration: ArrayLike<number>): Float64Array {
  return scores.map((score) =>
    Number.isNaN(score)
      ? Number.NaN
      : (1 + calibration.length - lowerBound(calibration, score)) / (calibration.length + 1),
  );
}

/**
 * The largest p-value that the procedure of Benjamini and Hochberg (1995) rejects, 0 if it rejects none: the largest p_(k), the k-th
 * smallest of N p-values, with p_(k) <= k q / N. Among the rows whose p-value is at most this, the expected fraction of false alarms is
 * at most q; for conformal p-values Bates et al. (2023) prove it. NaN does not count.
 */
export function benjaminiHochberg(pValues: Float64Array, falseDiscoveryRate: number): number {
  const ascending = pValues.filter((p) => !Number.isNaN(p)).sort();
  const last = ascending.findLastIndex((p, i) => p <= ((i + 1) * falseDiscoveryRate) / ascending.length);
  return last < 0 ? 0 : ascending[last];
}
