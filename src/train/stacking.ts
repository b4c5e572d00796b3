/** Expectation maximization has converged when a step raises the mean log-density by less than this, in nats. */
const TOLERANCE_NATS = 1e-7;
const MAX_STEPS = 2000;

/** The weights of a mixture, and its mean log-density in nats. */
export interface Stacking {
  readonly weights: number[];
  readonly logDensity: number;
}

/** Options of `stackDensities`. */
export interface StackingOptions {
  /** Additional rows that the densities share equally. Default 0. */
  readonly priorRows?: number | undefined;
  /** By how many nats the log-density of each is expected to be higher at new rows than at the held-out rows. Default 0. */
  readonly gains?: readonly number[] | undefined;
}

/**
 * Stacked density estimation (Smyth and Wolpert 1999): the weights w_k of the mixture sum_k w_k p_k that maximize the likelihood of held-out
 * rows times prod_k w_k^a, and its mean log-density of these rows. `logDensities` has log p_k of each row, for each of K densities. With
 * `gains` g_k, the weights maximize the likelihood of sum_k w_k exp(g_k) p_k instead.
 *
 * The factor with a = `priorRows` / K is a symmetric Dirichlet prior. It acts like `priorRows` additional rows that the densities share equally,
 * so that a few held-out rows cannot give a density the weight 0. The logarithm of the product is concave in the weights, and expectation
 * maximization converges to its maximum. A row to which all densities give 0 has no influence on the weights, and makes the mean log-density
 * -Infinity.
 */
export function stackDensities(
  logDensities: readonly ArrayLike<number>[],
  { priorRows = 0, gains }: StackingOptions = {},
): Stacking {
  const K = logDensities.length;
  const share = priorRows / K;
  const { rows } = relativeRows(logDensities, gains);
  // 0 log 0 is 0.
  const logPrior = (weights: readonly number[]) =>
    share > 0 ? weights.reduce((sum, weight) => sum + share * Math.log(weight), 0) : 0;
  let weights = new Array<number>(K).fill(1 / K);
  let current = expectation(rows, weights);
  for (let step = 0; step < MAX_STEPS && rows.length > 0; step++) {
    const previous = current.logLikelihood + logPrior(weights);
    weights = current.responsibilities.map((sum) => (sum + share) / (rows.length + priorRows));
    current = expectation(rows, weights);
    const gain = (current.logLikelihood + logPrior(weights) - previous) / rows.length;
    if (gain < TOLERANCE_NATS) break;
  }
  return { weights, logDensity: meanLogDensity(logDensities, weights) };
}

/** The mean log-density of the rows under the mixture with these weights. */
function meanLogDensity(logDensities: readonly ArrayLike<number>[], weights: readonly number[]): number {
  const { rows, sumOfLargest } = relativeRows(logDensities);
  return (sumOfLargest + expectation(rows, weights).logLikelihood) / logDensities[0].length;
}

/**
 * The densities of each row, times exp(gain), relative to the largest one, which may be too small for a float. Rows to which all densities give 0
 * are left out.
 */
function relativeRows(logDensities: readonly ArrayLike<number>[], gains?: readonly number[]) {
  const rows: Float64Array[] = [];
  let sumOfLargest = 0;
  for (let n = 0; n < logDensities[0].length; n++) {
    const row = Float64Array.from(logDensities, (ofDensity, k) => ofDensity[n] + (gains?.[k] ?? 0));
    const largest = row.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
    sumOfLargest += largest;
    if (Number.isFinite(largest)) rows.push(row.map((value) => Math.exp(value - largest)));
  }
  return { rows, sumOfLargest };
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
