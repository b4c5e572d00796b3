/** EM has converged when a step raises the mean log-density by less than this, in nats. */
const TOLERANCE_NATS = 1e-7;
const MAX_STEPS = 2000;

/**
 * Stacked density estimation (Smyth and Wolpert 1999): the weights w_k of the mixture of K densities, sum_k w_k p_k, that maximize the
 * likelihood of held-out rows. `logDensities` has log p_k of each held-out row for each k. The likelihood is concave in the weights, and
 * expectation maximization converges to its maximum. Rows to which all densities give 0 do not count.
 */
export function stackingWeights(logDensities: readonly ArrayLike<number>[]): number[] {
  const K = logDensities.length;
  const rows: Float64Array[] = [];
  for (let n = 0; n < logDensities[0].length; n++) {
    const row = Float64Array.from(logDensities, (ofModel) => ofModel[n]);
    const largest = row.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
    if (Number.isFinite(largest)) rows.push(row.map((value) => Math.exp(value - largest)));
  }
  let weights = new Array<number>(K).fill(1 / K);
  if (rows.length === 0) return weights;
  let previous = Number.NEGATIVE_INFINITY;
  for (let step = 0; step < MAX_STEPS; step++) {
    const sums = new Array<number>(K).fill(0);
    let logLikelihood = 0;
    for (const row of rows) {
      let total = 0;
      for (let k = 0; k < K; k++) total += weights[k] * row[k];
      for (let k = 0; k < K; k++) sums[k] += (weights[k] * row[k]) / total;
      logLikelihood += Math.log(total);
    }
    weights = sums.map((sum) => sum / rows.length);
    const mean = logLikelihood / rows.length;
    if (mean - previous < TOLERANCE_NATS) break;
    previous = mean;
  }
  return weights;
}
