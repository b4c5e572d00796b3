/** Expectation maximization has converged when a step raises the mean log-density by less than this, in nats. */
const TOLERANCE_NATS = 1e-7;
const MAX_STEPS = 2000;

/** The weights of a mixture, and its mean log-density in nats. */
export interface Stacking {
  readonly weights: number[];
  readonly logDensity: number;
}

/**
 * Stacked density estimation (Smyth and Wolpert 1999): the weights w_k of the mixture sum_k w_k p_k that maximize the likelihood of held-out
 * rows, and its mean log-density of these rows. `logDensities` has log p_k of each row, for each k. The likelihood is concave in the
 * weights, and expectation maximization converges to its maximum. A row to which all densities give 0 has no influence on the weights.
 *
 * With `minima`, w_k = minima_k + (1 - sum of minima) v_k, where v_k are the weights without minima.
 */
export function stackDensities(
  logDensities: readonly ArrayLike<number>[],
  minima: readonly number[] = logDensities.map(() => 0),
): Stacking {
  const K = logDensities.length;
  const count = logDensities[0].length;
  // The densities of a row relative to the largest one, which may be too small for a float.
  const rows: Float64Array[] = [];
  let sumOfLargest = 0;
  for (let n = 0; n < count; n++) {
    const row = Float64Array.from(logDensities, (ofDensity) => ofDensity[n]);
    const largest = row.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
    sumOfLargest += largest;
    if (Number.isFinite(largest)) rows.push(row.map((value) => Math.exp(value - largest)));
  }
  const free = 1 - minima.reduce((sum, minimum) => sum + minimum, 0);
  let weights = new Array<number>(K).fill(1 / K);
  let current = expectation(rows, weights);
  for (let step = 0; step < MAX_STEPS && rows.length > 0; step++) {
    weights = current.responsibilities.map((sum) => sum / rows.length);
    const next = expectation(rows, weights);
    const gain = (next.logLikelihood - current.logLikelihood) / rows.length;
    current = next;
    if (gain < TOLERANCE_NATS) break;
  }
  const bounded = weights.map((weight, k) => minima[k] + free * weight);
  const { logLikelihood } = expectation(rows, bounded);
  return { weights: bounded, logDensity: (sumOfLargest + logLikelihood) / count };
}

/** The sums over rows of the probabilities that each density generated the row, and the log-likelihood of the mixture. */
function expectation(rows: readonly Float64Array[], weights: readonly number[]) {
  const responsibilities = weights.map(() => 0);
  let logLikelihood = 0;
  for (const row of rows) {
    const total = weights.reduce((sum, weight, k) => sum + weight * row[k], 0);
    weights.forEach((weight, k) => {
      responsibilities[k] += (weight * row[k]) / total;
    });
    logLikelihood += Math.log(total);
  }
  return { responsibilities, logLikelihood };
}
