import type { DataRows } from "../bijections/index.ts";
import {
  brief,
  checkOptions,
  integerFrom,
  type Limits,
  limitReached,
  limitRules,
  numberFrom,
  PushforwardError,
  seedValue,
} from "../check/index.ts";
import { Random } from "../random/index.ts";
import { kMeans } from "./kMeans.ts";

/** A fitted mixture of K full-covariance Gaussians of D features. */
export interface FitGaussianMixtureResult {
  /** [K], with sum 1. */
  readonly weights: Float64Array;
  /** [K, D] */
  readonly means: Float64Array;
  /** [K, D, D] lower triangular A_k, where A_k A_k^T is the inverse of the covariance S_k. */
  readonly precisionFactors: Float64Array;
  /** Mean log-density of the rows in nats. */
  readonly logLikelihood: number;
}

/** Options of `fitGaussianMixture`. */
export interface FitGaussianMixtureOptions extends Limits {
  /** Added to the diagonal of every covariance, so that no component collapses onto a single row. Default 1e-4. */
  readonly ridge?: number | undefined;
  /** Maximal number of iterations. Default 100. */
  readonly iterations?: number | undefined;
  /** Stops when the mean log-density increases by less than this, in nats. Default 1e-3. */
  readonly tolerance?: number | undefined;
  /** Seed of the k-means++ initialization. Default 0. */
  readonly seed?: number | undefined;
}

/**
 * Fits a mixture of K full-covariance Gaussians by expectation maximization (Dempster, Laird and Rubin 1977), initialized by
 * k-means++ (Arthur and Vassilvitskii 2007) and k-means. Computes in float64, and is deterministic for a seed. A row of
 * weight 2 counts as two rows. Rows should have about unit scale, since the ridge is absolute.
 *
 * The mean log-density increases in every iteration, except for the effect of the ridge. A component without rows has weight 0. There are
 * such components if K exceeds the number of different rows. If `signal` is aborted or the `deadline` has passed, the current iteration is
 * the last. Throws `ARGUMENT` if the options or the number of components are not valid; `SHAPE` for a wrong number of values; `DATA`
 * without rows, for a value that is not finite, and if the total weight of the rows is not positive.
 */
export async function fitGaussianMixture(
  data: DataRows,
  components: number,
  options: FitGaussianMixtureOptions = {},
): Promise<FitGaussianMixtureResult> {
  checkOptions("fitGaussianMixture", options, {
    ridge: numberFrom(0),
    iterations: integerFrom(1),
    tolerance: numberFrom(0),
    seed: seedValue,
    ...limitRules,
  });
  if (!(Number.isSafeInteger(components) && components > 0)) {
    throw new PushforwardError("ARGUMENT", "the number of components of a mixture is not valid", {
      expected: "a positive integer",
      received: brief(components),
    });
  }
  checkRows(data);
  const initial = await kMeansResponsibilities(data, components, options.seed ?? 0, options);
  return expectationMaximization(data, components, initial, options);
}

function checkRows({ rows, features, values, weights }: DataRows): void {
  if (rows === 0) {
    throw new PushforwardError("DATA", "there are no rows to fit a mixture to", {
      expected: "at least 1 row",
      received: "none",
      hint: "Give the number of rows in `rows`.",
    });
  }
  if (values.length !== rows * features) {
    throw new PushforwardError("SHAPE", "the rows of a mixture have a wrong number of values", {
      expected: `${rows * features}, for ${rows} rows of ${features} features`,
      received: `${values.length}`,
    });
  }
  const index = values.findIndex((value) => !Number.isFinite(value));
  if (index >= 0) {
    const [row, column] = [Math.floor(index / features), index % features];
    throw new PushforwardError("DATA", `row ${row} has a value that is not finite in column ${column}`, {
      expected: "finite numbers",
      received: `${values[index]}`,
      hint: "Leave out rows with missing values.",
    });
  }
  const total = weights?.reduce((sum, weight) => sum + weight, 0) ?? rows;
  if (!(total > 0 && total < Number.POSITIVE_INFINITY)) {
    throw new PushforwardError("DATA", "the total weight of the rows of a mixture is not valid", {
      expected: "a positive number",
      received: `${total}`,
    });
  }
}

/**
 * Responsibilities p(component | row) of K components for N rows, without those that are negligible: most rows have only a
 * few. The first component of each row has the largest responsibility.
 */
interface Responsibilities {
  readonly K: number;
  /** [N] number of components in each row. */
  readonly counts: Int32Array;
  /** [N, K] components of each row, of which the first `counts[row]` are valid. */
  readonly components: Int32Array;
  /** [N, K] responsibilities of `components`. */
  readonly probabilities: Float64Array;
}

const emptyResponsibilities = (rows: number, K: number): Responsibilities => ({
  K,
  counts: new Int32Array(rows),
  components: new Int32Array(rows * K),
  probabilities: new Float64Array(rows * K),
});

/** Initial responsibilities: 1 for the k-means cluster of each row. There are at most as many clusters as rows. */
export async function kMeansResponsibilities(
  data: DataRows,
  components: number,
  seed: number,
  limits: Limits,
): Promise<Responsibilities> {
  const K = Math.min(components, data.rows);
  const responsibilities = emptyResponsibilities(data.rows, K);
  (await kMeans(data, K, new Random(seed).split("kmeans"), limits)).forEach((cluster, r) => {
    responsibilities.counts[r] = 1;
    responsibilities.components[r * K] = cluster;
    responsibilities.probabilities[r * K] = 1;
  });
  return responsibilities;
}

/** Responsibilities of a fitted mixture for the rows, and the mean log-density of the rows in nats. */
export function evaluateMixture(
  fit: FitGaussianMixtureResult,
  data: DataRows,
): { responsibilities: Responsibilities; meanLogDensity: number } {
  const responsibilities = emptyResponsibilities(data.rows, fit.weights.length);
  return { responsibilities, meanLogDensity: eStep(data, fit, responsibilities, true) };
}

/**
 * Lazy EM (Thiesson, Meek and Heckerman 2001): most E-steps compute only the components that had a responsibility in the row
 * before. The log-density of such a partial E-step is a lower bound, which increases in every iteration too. The first and the
 * last E-step, and one in this number of iterations between them, compute all components.
 */
const FULL_E_STEP_INTERVAL = 5;

/** Expectation maximization from initial responsibilities, which are overwritten. */
export async function expectationMaximization(
  data: DataRows,
  components: number,
  responsibilities: Responsibilities,
  { ridge = 1e-4, iterations = 100, tolerance = 1e-3, ...limits }: FitGaussianMixtureOptions,
): Promise<FitGaussianMixtureResult> {
  const { features: D } = data;
  const mixture = {
    weights: new Float64Array(components),
    means: new Float64Array(components * D),
    precisionFactors: new Float64Array(components * D * D),
  };
  for (let i = 0; i < components * D; i++) mixture.precisionFactors[i * D + (i % D)] = 1;

  let logLikelihood = Number.NEGATIVE_INFINITY;
  let full = true;
  for (let iteration = 1; iteration <= iterations; iteration++) {
    mStep(data, responsibilities, ridge, mixture);
    full ||= iteration % FULL_E_STEP_INTERVAL === 1 || iteration === iterations;
    const meanLogDensity = eStep(data, mixture, responsibilities, full);
    const converged = meanLogDensity - logLikelihood < tolerance;
    logLikelihood = meanLogDensity;
    if ((converged && full) || (await limitReached(limits))) break;
    // Convergence of partial E-steps has to be confirmed by a full one.
    full = converged;
  }
  return { ...mixture, logLikelihood };
}

/** The M-step ignores smaller responsibilities, whose contribution is negligible, to save time. */
const MIN_RESPONSIBILITY = 1e-12;

type MixtureParameters = Omit<FitGaussianMixtureResult, "logLikelihood">;

/** Updates weights, means and precisions from responsibilities. A component without rows keeps its mean and precision. */
function mStep(
  { rows, features: D, values, weights }: DataRows,
  { K, counts, components, probabilities }: Responsibilities,
  ridge: number,
  mixture: MixtureParameters,
): void {
  const { means, precisionFactors } = mixture;
  const forEachResponsibility = (visit: (r: number, k: number, responsibility: number) => void) => {
    for (let r = 0; r < rows; r++) {
      for (let i = r * K; i < r * K + counts[r]; i++)
        if (probabilities[i] >= MIN_RESPONSIBILITY)
          visit(r, components[i], probabilities[i] * (weights?.[r] ?? 1));
    }
  };
  const totals = new Float64Array(K);
  const sums = new Float64Array(K * D);
  forEachResponsibility((r, k, responsibility) => {
    totals[k] += responsibility;
    for (let i = 0; i < D; i++) sums[k * D + i] += responsibility * values[r * D + i];
  });
  const total = totals.reduce((a, b) => a + b, 0);
  for (let k = 0; k < K; k++) {
    if (totals[k] > 0) for (let i = 0; i < D; i++) means[k * D + i] = sums[k * D + i] / totals[k];
  }

  const covariances = new Float64Array(K * D * D);
  const difference = new Float64Array(D);
  forEachResponsibility((r, k, responsibility) => {
    for (let i = 0; i < D; i++) difference[i] = values[r * D + i] - means[k * D + i];
    const base = k * D * D;
    for (let i = 0; i < D; i++) {
      const scaled = responsibility * difference[i];
      for (let j = 0; j <= i; j++) covariances[base + i * D + j] += scaled * difference[j];
    }
  });
  for (let k = 0; k < K; k++) {
    mixture.weights[k] = totals[k] / total;
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
 * Writes the lower triangular A with S^-1 = A A^T to `out`, from the lower triangle of the covariance S [D, D].
 *
 * With J the reversal of all indices and L the Cholesky factor of the reversed covariance, J S J = L L^T, it is
 * A = J M^T J with M = L^-1.
 */
function precisionFactor(covariance: Float64Array, D: number, out: Float64Array): void {
  const L = new Float64Array(D * D);
  const reversedCovariance = (i: number, j: number) => {
    const [a, b] = [D - 1 - i, D - 1 - j];
    return a >= b ? covariance[a * D + b] : covariance[b * D + a];
  };
  for (let i = 0; i < D; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = reversedCovariance(i, j);
      for (let k = 0; k < j; k++) sum -= L[i * D + k] * L[j * D + k];
      L[i * D + j] = i === j ? Math.sqrt(Math.max(sum, 1e-12)) : sum / L[j * D + j];
    }
  }
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

/** A component whose log-density is lower than the largest one by more than this does not change the sum in float64. */
const NEGLIGIBLE_LOG_RATIO = 40;

/**
 * Overwrites the responsibilities with those of the current mixture, and returns the mean log-density of the rows in nats.
 * If not `full`, only the components that had a responsibility in a row are computed, and the result is a lower bound.
 */
function eStep(
  data: DataRows,
  mixture: MixtureParameters,
  { K, counts, components, probabilities }: Responsibilities,
  full: boolean,
): number {
  const { rows, weights } = data;
  const logDensityOf = componentLogDensity(data, mixture);
  let total = 0;
  let totalWeight = 0;
  for (let r = 0; r < rows; r++) {
    const start = r * K;
    // The component with the largest responsibility so far is computed first. It gives a high threshold, below which the
    // log-densities of other components need not be computed exactly.
    let maximum = logDensityOf(r, components[start], Number.NEGATIVE_INFINITY);
    let maximumIndex = start;
    let end = start;
    for (let i = 0; i < (full ? K : counts[r]); i++) {
      const k = full ? i : components[start + i];
      const logDensity = logDensityOf(r, k, maximum - NEGLIGIBLE_LOG_RATIO);
      if (logDensity === Number.NEGATIVE_INFINITY) continue;
      components[end] = k;
      probabilities[end] = logDensity;
      if (logDensity >= maximum) {
        maximum = logDensity;
        maximumIndex = end;
      }
      end++;
    }
    let sum = 0;
    for (let i = start; i < end; i++) {
      probabilities[i] = Math.exp(probabilities[i] - maximum);
      sum += probabilities[i];
    }
    for (let i = start; i < end; i++) probabilities[i] /= sum;
    swap(components, start, maximumIndex);
    swap(probabilities, start, maximumIndex);
    counts[r] = end - start;
    const weight = weights?.[r] ?? 1;
    total += weight * (maximum + Math.log(sum));
    totalWeight += weight;
  }
  return total / totalWeight;
}

function swap(numbers: Int32Array | Float64Array, i: number, j: number): void {
  const number = numbers[i];
  numbers[i] = numbers[j];
  numbers[j] = number;
}

/**
 * Returns a function that computes log w_k + log N(x_r; m_k, S_k) of row r and component k, or -Infinity as soon as the value
 * is known to be below `threshold`.
 */
function componentLogDensity(
  { features: D, values }: DataRows,
  { weights, means, precisionFactors }: MixtureParameters,
): (r: number, k: number, threshold: number) => number {
  const K = weights.length;
  const size = (D * (D + 1)) / 2;
  // y = A_k^T x - A_k^T m_k is computed from its last element, which takes one product, to its first, which takes D, since
  // the cheap elements often suffice to pass the threshold. The columns of A_k and the elements of A_k^T m_k are stored in
  // this order.
  const columns = new Float64Array(K * size);
  const shifts = new Float64Array(K * D);
  const constants = new Float64Array(K);
  let [columnIndex, shiftIndex] = [0, 0];
  for (let k = 0; k < K; k++) {
    constants[k] = Math.log(weights[k]) - 0.5 * D * Math.log(2 * Math.PI);
    for (let j = D - 1; j >= 0; j--, shiftIndex++) {
      constants[k] += Math.log(precisionFactors[(k * D + j) * D + j]);
      for (let i = j; i < D; i++, columnIndex++) {
        columns[columnIndex] = precisionFactors[(k * D + i) * D + j];
        shifts[shiftIndex] += columns[columnIndex] * means[k * D + i];
      }
    }
  }
  return (r, k, threshold) => {
    const maxSquares = 2 * (constants[k] - threshold);
    let squares = 0;
    let column = k * size;
    let shift = k * D;
    for (let j = D - 1; j >= 0; j--) {
      let y = -shifts[shift++];
      for (let i = j; i < D; i++) y += columns[column++] * values[r * D + i];
      squares += y * y;
      if (squares > maxSquares) return Number.NEGATIVE_INFINITY;
    }
    return constants[k] - 0.5 * squares;
  };
}
