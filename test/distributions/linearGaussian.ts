import { DiagonalNormal, StandardNormal, VariationalAutoencoder } from "../../src/distributions/index.ts";
import { dot } from "../bijections/apply.ts";

/** b, the two orthogonal columns of W, and the deviation of the noise. */
const MEAN = [0.5, -1, 2];
const W = [
  [1.2, 0.6, 0],
  [-0.4, 0.8, 0.5],
];
const DEVIATION = 0.7;

const columnNorms = W.map((w) => dot(w, w));

/**
 * The linear Gaussian model x = W z + b + noise of three features and two latent features: probabilistic principal component analysis
 * (Tipping and Bishop 1999). The columns of W are orthogonal, so that the posterior is diagonal: latent feature k has the variance
 * v_k = 1 / (1 + |w_k|^2 / s^2) and the mean v_k w_k·(x - b) / s^2. `stretch` multiplies the posterior's deviations by a factor.
 */
export function linearGaussian({ stretch = 1, samples = 1, seed = 0 } = {}): VariationalAutoencoder {
  const linear = { hidden: [] };
  const decoder = new DiagonalNormal({ features: 3, context: 2, network: linear });
  const posterior = new DiagonalNormal({ features: 2, context: 3, network: linear });
  decoder.mean.value.set(MEAN);
  decoder.logDeviation.value.fill(Math.log(DEVIATION));
  const variance = posteriorVariances();
  // The weights are [inputs, outputs], where the outputs are the means and then the log-deviations.
  const decoderWeight = decoder.network!.layers[0].weight.value;
  const posteriorWeight = posterior.network!.layers[0].weight.value;
  W.forEach((w, k) => {
    posterior.logDeviation.value[k] = 0.5 * Math.log(variance[k]) + Math.log(stretch);
    posterior.mean.value[k] = (-variance[k] * dot(w, MEAN)) / DEVIATION ** 2;
    w.forEach((value, d) => {
      decoderWeight[k * 6 + d] = value;
      posteriorWeight[d * 4 + k] = (variance[k] * value) / DEVIATION ** 2;
    });
  });
  return new VariationalAutoencoder({
    prior: new StandardNormal({ features: 2 }),
    decoder,
    posterior,
    samples,
    seed,
  });
}

export const posteriorVariances = (): number[] => columnNorms.map((norm) => 1 / (1 + norm / DEVIATION ** 2));

/** log N(x; b, W W^T + s^2 I), whose covariance has the eigenvalues |w_k|^2 + s^2 and s^2. */
export function exactLogProb(x: readonly number[]): number {
  const { along, rest } = components(x);
  const variances = [...columnNorms.map((norm) => norm + DEVIATION ** 2), DEVIATION ** 2];
  return [...along, rest].reduce(
    (sum, square, i) => sum - 0.5 * (square / variances[i] + Math.log(2 * Math.PI * variances[i])),
    0,
  );
}

/** The gradient of `exactLogProb` with respect to b, which is minus that with respect to x: (W W^T + s^2 I)^-1 (x - b). */
export function exactGradient(x: readonly number[]): number[] {
  const step = 1e-4;
  return x.map((_, d) => {
    const moved = (by: number) => exactLogProb(x.map((each, i) => (i === d ? each + by : each)));
    return -(moved(step) - moved(-step)) / (2 * step);
  });
}

/** The squared components of x - b along the columns of W, and of the rest. */
function components(x: readonly number[]) {
  const centered = x.map((each, d) => each - MEAN[d]);
  const along = W.map((w, k) => dot(w, centered) ** 2 / columnNorms[k]);
  return { along, rest: dot(centered, centered) - along[0] - along[1] };
}
