import type { DataRows } from "../bijections/bijection.ts";
import { Random } from "../random/index.ts";

/** A fitted mixture of full-covariance Gaussians. */
export interface MixtureFit {
  /** [K] */
  readonly weights: Float64Array;
  /** [K, D] */
  readonly means: Float64Array;
  /** [K, D, D] lower triangular A_k with S_k^-1 = A_k A_k^T. */
  readonly precisionFactors: Float64Array;
  /** Mean log-density of the rows, in nats. */
  readonly logLikelihood: number;
}

export interface MixtureOptions {
  /** Added to the diagonal of every covariance, which keeps a component from collapsing onto a row. Default 1e-4. */
  readonly ridge?: number;
  /** Most rounds of expectation maximization. Default 100. */
  readonly iterations?: number;
  /** Stops when the mean log-density gains less than this, in nats. Default 1e-3. */
  readonly tolerance?: number;
  /** Of the k-means++ start. Default 0. */
  readonly seed?: number;
}

/**
 * Expectation maximization for a mixture of K Gaussians (Dempster, Laird and Rubin 1977), started by k-means++ seeds
 * (Arthur and Vassilvitskii 2007) and a few rounds of k-means. Float64, deterministic for a seed; a row of weight 2
 * counts as two rows. The rows should be of about unit scale, as latent values are.
 *
 * The mean log-density rises from round to round (but for what the ridge costs). A component that is left without rows,
 * as where there are more components than different rows, has weight 0.
 */
export function fitGaussianMixture(
  data: DataRows,
  components: number,
  options: MixtureOptions = {},
): MixtureFit {
  const { ridge = 1e-4, iterations = 100, tolerance = 1e-3, seed = 0 } = options;
  const { rows, features: D } = data;
  const K = Math.min(components, rows);
  const responsibilities = kMeansAssignments(data, K, new Random(seed).split("kmeans"));
  const state = {
    weights: new Float64Array(components),
    means: new Float64Array(components * D),
    precisionFactors: new Float64Array(components * D * D),
  };
  for (let i = 0; i < components * D; i++) state.precisionFactors[i * D + (i % D)] = 1;

  let logLikelihood = Number.NEGATIVE_INFINITY;
  for (let round = 0; round < iterations; round++) {
    maximize(data, K, responsibilities, ridge, state);
    const next = expect(data, K, state, responsibilities);
    const done = next - logLikelihood < tolerance;
    logLikelihood = next;
    if (done) break;
  }
  return { ...state, logLikelihood };
}

/** Mean log-density of rows under a fitted mixture, in nats. */
export function meanLogDensity(fit: MixtureFit, data: DataRows): number {
  const K = fit.weights.length;
  return expect(data, K, fit, new Float64Array(data.rows * K));
}

/** A row that a component shares in less than this adds nothing to it. */
const NEGLIGIBLE = 1e-12;

type State = Omit<MixtureFit, "logLikelihood">;

/** Means, covariances and weights from responsibilities [N, K]; a component without rows keeps its mean and covariance. */
function maximize(
  data: DataRows,
  K: number,
  responsibilities: Float64Array,
  ridge: number,
  state: State,
): void {
  const { rows, features: D, values, weights } = data;
  const { means, precisionFactors } = state;
  const totals = new Float64Array(K);
  const sums = new Float64Array(K * D);
  for (let r = 0; r < rows; r++) {
    for (let k = 0; k < K; k++) {
      if (responsibilities[r * K + k] < NEGLIGIBLE) continue;
      const share = responsibilities[r * K + k] * (weights?.[r] ?? 1);
      totals[k] += share;
      for (let i = 0; i < D; i++) sums[k * D + i] += share * values[r * D + i];
    }
  }
  const total = totals.reduce((a, b) => a + b, 0);
  for (let k = 0; k < K; k++) {
    if (totals[k] > 0) for (let i = 0; i < D; i++) means[k * D + i] = sums[k * D + i] / totals[k];
  }

  const covariances = new Float64Array(K * D * D);
  const difference = new Float64Array(D);
  for (let r = 0; r < rows; r++) {
    for (let k = 0; k < K; k++) {
      if (responsibilities[r * K + k] < NEGLIGIBLE) continue;
      const share = responsibilities[r * K + k] * (weights?.[r] ?? 1);
      for (let i = 0; i < D; i++) difference[i] = values[r * D + i] - means[k * D + i];
      const base = k * D * D;
      for (let i = 0; i < D; i++) {
        const scaled = share * difference[i];
        for (let j = 0; j <= i; j++) covariances[base + i * D + j] += scaled * difference[j];
      }
    }
  }
  for (let k = 0; k < K; k++) {
    state.weights[k] = totals[k] / total;
    if (totals[k] === 0) continue;
    const covariance = covariances.subarray(k * D * D, (k + 1) * D * D);
    for (let i = 0; i < D; i++) {
      for (let j = 0; j <= i; j++) covariance[i * D + j] /= totals[k];
      covariance[i * D + i] += ridge;
    }
    precisionFactor(covariance, D, precisionFactors.subarray(k * D * D, (k + 1) * D * D));
  }
}

/**
 * A lower triangular with S^-1 = A A^T, from the lower half of S: with S reversed in both axes factored as L L^T,
 * A is the transposed inverse of the reversed L.
 */
function precisionFactor(covariance: Float64Array, D: number, out: Float64Array): void {
  const L = new Float64Array(D * D);
  const at = (i: number, j: number) => {
    const [a, b] = [D - 1 - i, D - 1 - j];
    return a >= b ? covariance[a * D + b] : covariance[b * D + a];
  };
  for (let i = 0; i < D; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = at(i, j);
      for (let k = 0; k < j; k++) sum -= L[i * D + k] * L[j * D + k];
      L[i * D + j] = i === j ? Math.sqrt(Math.max(sum, 1e-12)) : sum / L[j * D + j];
    }
  }
  // M = L^-1, lower triangular; with everything reversed, S^-1 = (J M J)^T (J M J), and A = J M^T J.
  const M = new Float64Array(D * D);
  for (let i = 0; i < D; i++) {
    M[i * D + i] = 1 / L[i * D + i];
    for (let j = 0; j < i; j++) {
      let sum = 0;
      for (let k = j; k < i; k++) sum -= L[i * D + k] * M[k * D + j];
      M[i * D + j] = sum / L[i * D + i];
    }
  }
  for (let i = 0; i < D; i++) for (let j = 0; j < D; j++) out[i * D + j] = M[(D - 1 - j) * D + (D - 1 - i)];
}

/** Responsibilities from the current mixture, and the mean log-density. */
function expect(data: DataRows, K: number, state: State, responsibilities: Float64Array): number {
  const { rows, features: D, values, weights } = data;
  const { means, precisionFactors } = state;
  const constants = Float64Array.from({ length: K }, (_, k) => {
    let logDiagonal = 0;
    for (let i = 0; i < D; i++) logDiagonal += Math.log(precisionFactors[(k * D + i) * D + i]);
    return Math.log(state.weights[k]) + logDiagonal - 0.5 * D * Math.log(2 * Math.PI);
  });
  const difference = new Float64Array(D);
  let total = 0;
  let totalWeight = 0;
  for (let r = 0; r < rows; r++) {
    let top = Number.NEGATIVE_INFINITY;
    for (let k = 0; k < K; k++) {
      for (let i = 0; i < D; i++) difference[i] = values[r * D + i] - means[k * D + i];
      let squares = 0;
      const base = k * D * D;
      for (let j = 0; j < D; j++) {
        let y = 0;
        for (let i = j; i < D; i++) y += precisionFactors[base + i * D + j] * difference[i];
        squares += y * y;
      }
      const logDensity = constants[k] - 0.5 * squares;
      responsibilities[r * K + k] = logDensity;
      if (logDensity > top) top = logDensity;
    }
    let sum = 0;
    for (let k = 0; k < K; k++) sum += Math.exp(responsibilities[r * K + k] - top);
    const logSum = top + Math.log(sum);
    for (let k = 0; k < K; k++) responsibilities[r * K + k] = Math.exp(responsibilities[r * K + k] - logSum);
    const weight = weights?.[r] ?? 1;
    total += weight * logSum;
    totalWeight += weight;
  }
  return total / totalWeight;
}

/** One-hot assignments [N, K] after k-means++ and ten rounds of Lloyd's algorithm. */
function kMeansAssignments(data: DataRows, K: number, random: Random): Float64Array {
  const { rows, features: D, values, weights } = data;
  const uniforms = random.uniform(new Float64Array(K));
  const centers = new Float64Array(K * D);
  const distance = (r: number, k: number) => {
    let sum = 0;
    for (let i = 0; i < D; i++) sum += (values[r * D + i] - centers[k * D + i]) ** 2;
    return sum;
  };
  // The first center is any row, each other one a row in proportion to its squared distance from those before.
  const distances = new Float64Array(rows).fill(1);
  for (let k = 0; k < K; k++) {
    const row = chosen(
      distances.map((d, r) => d * (weights?.[r] ?? 1)),
      uniforms[k],
    );
    centers.set(values.subarray(row * D, (row + 1) * D), k * D);
    for (let r = 0; r < rows; r++)
      distances[r] = k === 0 ? distance(r, k) : Math.min(distances[r], distance(r, k));
  }
  const nearest = new Int32Array(rows);
  for (let round = 0; round < 10; round++) {
    const sums = new Float64Array(K * D);
    const totals = new Float64Array(K);
    for (let r = 0; r < rows; r++) {
      let best = Number.POSITIVE_INFINITY;
      for (let k = 0; k < K; k++) {
        const d = distance(r, k);
        if (d < best) {
          best = d;
          nearest[r] = k;
        }
      }
      const weight = weights?.[r] ?? 1;
      totals[nearest[r]] += weight;
      for (let i = 0; i < D; i++) sums[nearest[r] * D + i] += weight * values[r * D + i];
    }
    for (let k = 0; k < K; k++) {
      if (totals[k] > 0) for (let i = 0; i < D; i++) centers[k * D + i] = sums[k * D + i] / totals[k];
    }
  }
  const assignments = new Float64Array(rows * K);
  for (let r = 0; r < rows; r++) assignments[r * K + nearest[r]] = 1;
  return assignments;
}

/** The index whose stretch of the cumulative weights holds the share u of their total. */
function chosen(weights: Float64Array, u: number): number {
  let target = u * weights.reduce((a, b) => a + b, 0);
  for (let r = 0; r < weights.length; r++) {
    target -= weights[r];
    if (target < 0) return r;
  }
  return weights.length - 1;
}
