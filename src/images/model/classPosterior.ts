/** The result of `ImageModel.classify` for n images and K classes. */
export interface ImageClassification {
  /** `[n, K]`: P(y | x), the probability of each class given the image; NaN if P(x) is 0. */
  readonly probabilities: Float64Array;
  /** `[n]`: the index of the most probable class; -1 if P(x) is 0. */
  readonly classes: Int32Array;
  /** `[n]`: log P(x) in nats, the log-probability of the image whatever its class is. */
  readonly logProb: Float64Array;
}

/** Bayes' rule, P(y | x) = P(y) P(x | y) / P(x), for log P(x | y) [K][n] in nats and the priors P(y) [K]. */
export function classPosterior(
  logLikelihoods: readonly Float64Array[],
  priors: readonly number[],
): ImageClassification {
  const n = logLikelihoods[0]!.length;
  const K = priors.length;
  const probabilities = new Float64Array(n * K);
  const classes = new Int32Array(n);
  const logProb = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    const logJoint = priors.map((prior, y) => Math.log(prior) + logLikelihoods[y]![i]!);
    const largest = Math.max(...logJoint);
    const relative = logJoint.map((value) => Math.exp(value - largest));
    const sum = relative.reduce((total, value) => total + value, 0);
    relative.forEach((value, y) => {
      probabilities[i * K + y] = value / sum;
    });
    classes[i] = largest === Number.NEGATIVE_INFINITY ? -1 : logJoint.indexOf(largest);
    logProb[i] = largest === Number.NEGATIVE_INFINITY ? largest : largest + Math.log(sum);
  }
  return { probabilities, classes, logProb };
}
