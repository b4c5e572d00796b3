import type { DataRows } from "../bijections/bijection.ts";
import { type Limits, limitReached } from "../limits.ts";
import { Random } from "../random/index.ts";
import { kMeans } from "./kMeans.ts";

/** A fitted mixture of full-covariance Gaussians. */
export interface FitGaussianMixtureResult {
  /** [K] */
  readonly weights: Float64Array;
  /** [K, D] */
  readonly means: Float64Array;
  /** [K, D, D] lower triangular A_k with S_k^-1 = A_k A_k^T. */
  readonly precisionFactors: Float64Array;
  /** Mean log-density of the rows, in nats. */
  readonly logLikelihood: number;
}

export interface FitGaussianMixtureOptions extends Limits {
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
 * as where there are more components than different rows, has weight 0. When `signal` is aborted or the `deadline` has
 * passed, the round that runs is the last.
 */
export async function fitGaussianMixture(
  data: DataRows,
  components: number,
  options: FitGaussianMixtureOptions = {},
): Promise<FitGaussianMixtureResult> {
  const start = await clusters(data, components, options.seed ?? 0, options);
  return maximizeLikelihood(data, components, start, options);
}

/**
 * Responsibilities of K components for rows: which components have a share in each row, its largest one first, and how much.
 * Few have more than nothing where there are many.
 */
interface Responsibilities {
  readonly K: number;
  /** [N], how many there are. */
  readonly counts: Int32Array;
  /** [N, K], of which so many count. */
  readonly components: Int32Array;
  /** [N, K], as the components. */
  readonly shares: Float64Array;
}

const noResponsibilities = (rows: number, K: number): Responsibilities => ({
  K,
  counts: new Int32Array(rows),
  components: new Int32Array(rows * K),
  shares: new Float64Array(rows * K),
});

/** Responsibilities to start from: each row belongs to one of K clusters, at most one for every row. */
export async function clusters(
  data: DataRows,
  components: number,
  seed: number,
  limits: Limits,
): Promise<Responsibilities> {
  const K = Math.min(components, data.rows);
  const start = noResponsibilities(data.rows, K);
  (await kMeans(data, K, new Random(seed).split("kmeans"), limits)).forEach((k, r) => {
    start.counts[r] = 1;
    start.components[r * K] = k;
    start.shares[r * K] = 1;
  });
  return start;
}

/** Responsibilities of a fitted mixture for rows, and their mean log-density in nats. */
export function judge(
  fit: FitGaussianMixtureResult,
  data: DataRows,
): { responsibilities: Responsibilities; meanLogDensity: number } {
  const responsibilities = noResponsibilities(data.rows, fit.weights.length);
  return { responsibilities, meanLogDensity: expect(data, fit, responsibilities, true) };
}

/**
 * In most rounds a component that had no share in a row gets none, and its density there is not computed (lazy EM: Thiesson, Meek
 * and Heckerman 2001). What is then called the log-density is a lower bound of it, which rises from round to round as well. The
 * first round, the last one and each of so many between are whole.
 */
const WHOLE_EVERY = 5;

/** The rounds of `fitGaussianMixture` from given responsibilities on, which are overwritten. */
export async function maximizeLikelihood(
  data: DataRows,
  components: number,
  responsibilities: Responsibilities,
  { ridge = 1e-4, iterations = 100, tolerance = 1e-3, ...limits }: FitGaussianMixtureOptions,
): Promise<FitGaussianMixtureResult> {
  const { features: D } = data;
  const state = {
    weights: new Float64Array(components),
    means: new Float64Array(components * D),
    precisionFactors: new Float64Array(components * D * D),
  };
  for (let i = 0; i < components * D; i++) state.precisionFactors[i * D + (i % D)] = 1;

  let logLikelihood = Number.NEGATIVE_INFINITY;
  let whole = true;
  for (let round = 1; round <= iterations; round++) {
    maximize(data, responsibilities, ridge, state);
    whole ||= round % WHOLE_EVERY === 1 || round === iterations;
    const next = expect(data, state, responsibilities, whole);
    const settled = next - logLikelihood < tolerance;
    logLikelihood = next;
    if ((settled && whole) || (await limitReached(limits))) break;
    whole = settled;
  }
  return { ...state, logLikelihood };
}

/** A row that a component shares in less than this adds nothing to it. */
const NEGLIGIBLE = 1e-12;

type State = Omit<FitGaussianMixtureResult, "logLikelihood">;

/** Means, covariances and weights from responsibilities; a component without rows keeps its mean and covariance. */
function maximize(
  { rows, features: D, values, weights }: DataRows,
  { K, counts, components, shares }: Responsibilities,
  ridge: number,
  state: State,
): void {
  const { means, precisionFactors } = state;
  const each = (use: (r: number, k: number, share: number) => void) => {
    for (let r = 0; r < rows; r++) {
      for (let at = r * K; at < r * K + counts[r]; at++)
        if (shares[at] >= NEGLIGIBLE) use(r, components[at], shares[at] * (weights?.[r] ?? 1));
    }
  };
  const totals = new Float64Array(K);
  const sums = new Float64Array(K * D);
  each((r, k, share) => {
    totals[k] += share;
    for (let i = 0; i < D; i++) sums[k * D + i] += share * values[r * D + i];
  });
  const total = totals.reduce((a, b) => a + b, 0);
  for (let k = 0; k < K; k++) {
    if (totals[k] > 0) for (let i = 0; i < D; i++) means[k * D + i] = sums[k * D + i] / totals[k];
  }

  const covariances = new Float64Array(K * D * D);
  const difference = new Float64Array(D);
  each((r, k, share) => {
    for (let i = 0; i < D; i++) difference[i] = values[r * D + i] - means[k * D + i];
    const base = k * D * D;
    for (let i = 0; i < D; i++) {
      const scaled = share * difference[i];
      for (let j = 0; j <= i; j++) covariances[base + i * D + j] += scaled * difference[j];
    }
  });
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

/** Log-densities so far below the largest one are lost in the rounding of their sum. */
const LOST = 40;

/**
 * Responsibilities from the current mixture, in place of those before, and the mean log-density; if not `whole`, of the components
 * alone that had a share in a row.
 */
function expect(
  data: DataRows,
  state: State,
  { K, counts, components, shares }: Responsibilities,
  whole: boolean,
): number {
  const { rows, weights } = data;
  const logDensity = logDensities(data, state);
  let total = 0;
  let totalWeight = 0;
  for (let r = 0; r < rows; r++) {
    const start = r * K;
    // What had the largest share most likely has it again, and the others need not be known if far below it.
    let top = logDensity(r, components[start], Number.NEGATIVE_INFINITY);
    let largest = start;
    let end = start;
    for (let i = 0; i < (whole ? K : counts[r]); i++) {
      const k = whole ? i : components[start + i];
      const density = logDensity(r, k, top - LOST);
      if (density === Number.NEGATIVE_INFINITY) continue;
      components[end] = k;
      shares[end] = density;
      if (density >= top) {
        top = density;
        largest = end;
      }
      end++;
    }
    let sum = 0;
    for (let at = start; at < end; at++) {
      shares[at] = Math.exp(shares[at] - top);
      sum += shares[at];
    }
    for (let at = start; at < end; at++) shares[at] /= sum;
    swap(components, start, largest);
    swap(shares, start, largest);
    counts[r] = end - start;
    const weight = weights?.[r] ?? 1;
    total += weight * (top + Math.log(sum));
    totalWeight += weight;
  }
  return total / totalWeight;
}

function swap(numbers: Int32Array | Float64Array, i: number, j: number): void {
  const number = numbers[i];
  numbers[i] = numbers[j];
  numbers[j] = number;
}

/** The log-density of row r under component k and its weight; -Infinity as soon as it is certain to be below `least`. */
function logDensities(
  { features: D, values }: DataRows,
  { weights, means, precisionFactors }: State,
): (r: number, k: number, least: number) => number {
  const K = weights.length;
  const size = (D * (D + 1)) / 2;
  // y = A_k^T x - A_k^T m_k from its last feature, which takes one product, to the first, which takes D: the short ones often
  // decide. The columns of A_k and what is taken off lie in this order.
  const columns = new Float64Array(K * size);
  const shifts = new Float64Array(K * D);
  const constants = new Float64Array(K);
  let [to, next] = [0, 0];
  for (let k = 0; k < K; k++) {
    constants[k] = Math.log(weights[k]) - 0.5 * D * Math.log(2 * Math.PI);
    for (let j = D - 1; j >= 0; j--, next++) {
      constants[k] += Math.log(precisionFactors[(k * D + j) * D + j]);
      for (let i = j; i < D; i++, to++) {
        columns[to] = precisionFactors[(k * D + i) * D + j];
        shifts[next] += columns[to] * means[k * D + i];
      }
    }
  }
  return (r, k, least) => {
    const most = 2 * (constants[k] - least);
    let squares = 0;
    let at = k * size;
    let shift = k * D;
    for (let j = D - 1; j >= 0; j--) {
      let y = -shifts[shift++];
      for (let i = j; i < D; i++) y += columns[at++] * values[r * D + i];
      squares += y * y;
      if (squares > most) return Number.NEGATIVE_INFINITY;
    }
    return constants[k] - 0.5 * squares;
  };
}
