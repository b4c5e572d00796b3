/** Weights smaller than this, relative to the largest one, are left out: the logarithm of the smallest normal float64. */
const MIN_LOG_WEIGHT = -708;

/**
 * Estimates the shape k of a generalized Pareto distribution from the largest importance weights. Below 0.5 the variance of the
 * weights is finite; above 0.7 no practical number of samples makes estimates reliable. NaN for 20 weights or fewer, and Infinity if all
 * weights but the 4 largest are 0 in float64, relative to the largest one.
 *
 * Vehtari et al., "Pareto smoothed importance sampling", JMLR 2024. The estimator is that of Zhang and Stephens (2009) with a
 * weak prior at 0.5.
 */
export function paretoShape(logWeights: Float64Array): number {
  const n = logWeights.length;
  const tailSize = Math.ceil(Math.min(n / 5, 3 * Math.sqrt(n)));
  if (tailSize < 5) return Number.NaN;
  const sorted = logWeights.toSorted();
  const largest = sorted[n - 1];
  const threshold = sorted[n - tailSize - 1] - largest;
  const cut = Math.max(threshold, MIN_LOG_WEIGHT);
  const tail = sorted
    .subarray(n - tailSize)
    .filter((weight) => threshold === cut || weight - largest > cut)
    .map((weight) => Math.exp(weight - largest) - Math.exp(cut));
  const count = tail.length;
  if (count < 5) return Number.POSITIVE_INFINITY;
  const quartile = tail[Math.floor(count / 4 + 0.5) - 1];
  // Weights that are all equal, or of which many are equal, have no tail.
  if (quartile <= 0) return 0;
  const shapeAt = (theta: number) => tail.reduce((sum, x) => sum + Math.log1p(-theta * x), 0) / count;
  const points = 30 + Math.floor(Math.sqrt(count));
  const candidates = Array.from({ length: points }, (_, j) => {
    const theta = 1 / tail[count - 1] + (1 - Math.sqrt(points / (j + 0.5))) / (3 * quartile);
    const k = shapeAt(theta);
    return { theta, logLikelihood: count * (Math.log(-theta / k) - k - 1) };
  });
  const best = Math.max(...candidates.map(({ logLikelihood }) => logLikelihood));
  const shares = candidates.map(({ logLikelihood }) => Math.exp(logLikelihood - best));
  const total = shares.reduce((a, b) => a + b, 0);
  const theta = candidates.reduce((sum, candidate, j) => sum + (candidate.theta * shares[j]) / total, 0);
  return (count * shapeAt(theta) + 5) / (count + 10);
}

/** The largest of the weights with these logarithms. */
export const largestWeight = (logWeights: Float64Array): number =>
  Math.exp(logWeights.reduce((a, b) => Math.max(a, b)));

/** A fitted shape is limited to this: the mean of importance weights is finite, so their shape is below 1. */
const MAX_SHAPE = 0.95;

/**
 * The expected share of Z in the tail beyond the largest weight, for log-weights whose weights sum to 1. No draw is in this tail, so the
 * error of log Z is at least about as large.
 *
 * About one of n + 1 draws has a weight beyond the largest one, w, and a Pareto tail of shape k has the mean w / (1 - k) there, so the
 * share is w / (1 - k).
 */
export function paretoTailShare(logWeights: Float64Array, shape = paretoShape(logWeights)): number {
  return Math.min(1, largestWeight(logWeights) / (1 - Math.max(0, Math.min(shape, MAX_SHAPE))));
}
