import { type Limits, limitReached } from "../limits.ts";
import { choleskyFactor } from "../numerics/choleskyFactor.ts";

/** Factors of the standard deviations of the kernels: a narrow peak, the main part and tails. */
export const KERNEL_WIDTHS = [0.35, 1, 2.5];
/** Iterations with a diagonal covariance, which is then the prior of the full one, and with a full covariance. */
const DIAGONAL_ITERATIONS = 15;
const FULL_ITERATIONS = 30;
/** An iteration evaluates about this many pairs of a row and a center, which takes about 0.05 s. */
const PAIRS_PER_ITERATION = 3e5;
/** After this many iterations on some of the rows, steps shrink like 1/2, 1/3, ..., so that the noise of the rows averages out. */
const FULL_STEPS = 6;
/** The iteration ends when the mean leave-one-out log-likelihood of all rows increases by less than this, in nats. */
const TOLERANCE = 1e-3;
/** Kernels with a density below exp(-30) of the largest are left out, to save time. */
const MAX_LOG_RATIO = 30;
/** The diagonal covariance is estimated as if there were this many additional rows with the covariance of the rule of thumb. */
const PRIOR_ROWS_OF_DIAGONAL = 2;
/** Added to variances, relative to the variance of the column. */
const RIDGE = 1e-6;
/** The smallest variance of a lattice, relative to the variance of a uniform distribution within a cell. */
const MIN_CELL_SHARE = 0.3;
/** The share of the marginal distribution is estimated as if this part of an additional row came from it. */
const PRIOR_ROWS_OF_MARGINAL = 0.1;
const MAX_MARGINAL_SHARE = 0.95;

/** The rows that are the centers of kernels. */
export interface KernelRows {
  readonly rows: number;
  /** [N], the weights of the rows. */
  readonly weights: Float64Array;
  /** [N, M] numbers on the linear scale, with the mean of the column where a value has no density. */
  readonly scores: Float64Array;
  /** [M], the variances of the numbers, and the variance within a cell of a lattice, or 0 for other columns. */
  readonly variances: Float64Array;
  readonly cellVariances: Float64Array;
  /** For each column of which values have probabilities, [N] the class of each value. All values with a density are one class. */
  readonly classes: readonly Int32Array[];
}

/** The parameters of kernels around all rows. */
export interface KernelCovariance {
  /** [M, M], the covariance of kernels of width 1. */
  readonly covariance: Float64Array;
  /** The weights of `KERNEL_WIDTHS`. */
  readonly widthWeights: Float64Array;
  /** For each of the `classes`, the share of the marginal distribution in the kernels. */
  readonly marginalShares: Float64Array;
}

/**
 * The covariance that Gaussian kernels around all rows share, by expectation maximization of the leave-one-out likelihood: the density at a
 * row has no kernel around this row. In the M-step the covariance is the mean of the products of the differences between a row and the
 * centers, weighted by the posterior probabilities of the kernels and by 1 / width^2.
 */
export async function fitKernelCovariance(rows: KernelRows, limits: Limits): Promise<KernelCovariance> {
  const { rows: N, variances, cellVariances, classes } = rows;
  const M = variances.length;
  const W = KERNEL_WIDTHS.length;
  const state = {
    covariance: new Float64Array(M * M),
    widthWeights: new Float64Array(W).fill(1 / W),
    marginalShares: new Float64Array(classes.length).fill(0.1),
  };
  // Silverman's rule of thumb for a normal distribution.
  const ruleOfThumb = (4 / ((M + 2) * N)) ** (2 / (M + 4));
  for (let d = 0; d < M; d++) state.covariance[d * M + d] = ruleOfThumb * variances[d] + cellVariances[d];
  const steps = new KernelSteps(rows, state);
  const batch = Math.min(N, Math.ceil(PAIRS_PER_ITERATION / N));
  let first = 0;
  for (const isFull of [false, true]) {
    const prior = {
      covariance: state.covariance.slice(),
      rows: isFull ? M + 1 : PRIOR_ROWS_OF_DIAGONAL,
    };
    let previous = Number.NEGATIVE_INFINITY;
    for (let iteration = 0; iteration < (isFull ? FULL_ITERATIONS : DIAGONAL_ITERATIONS); iteration++) {
      if (N < 2 || (await limitReached(limits))) return state;
      const sums = steps.eStep(Array.from({ length: batch }, (_, b) => (first + b) % N));
      if (!(sums.total > 0)) return state;
      first = (first + batch) % N;
      const step = batch === N || iteration < FULL_STEPS ? 1 : 1 / (iteration - FULL_STEPS + 2);
      steps.mStep(sums, prior, { step, isFull });
      if (batch === N && sums.logLikelihood < previous + TOLERANCE) break;
      previous = sums.logLikelihood;
    }
  }
  return state;
}

/** Sums over rows of the posterior probabilities of the kernels, weighted by the weights of the rows. */
interface KernelSums {
  /** The weights of the rows. */
  readonly total: number;
  /** [M, M], products of the differences between a row and the centers, divided by the square of the width. Only the lower triangle. */
  readonly scatter: Float64Array;
  /** The posterior probabilities of each width. */
  readonly widths: Float64Array;
  /** For each of the `classes`, the posterior probability that the class comes from the marginal distribution. */
  readonly marginals: Float64Array;
  /** The mean leave-one-out log-likelihood. */
  readonly logLikelihood: number;
}

/** The steps of expectation maximization, which change `state`. */
class KernelSteps {
  private readonly rows: KernelRows;
  private readonly state: KernelCovariance;
  private readonly totalWeight: number;
  /** For each of the `classes`, the frequency of the class of each row. */
  private readonly frequencies: readonly Float64Array[];

  constructor(rows: KernelRows, state: KernelCovariance) {
    this.rows = rows;
    this.state = state;
    this.totalWeight = rows.weights.reduce((sum, weight) => sum + weight, 0);
    this.frequencies = rows.classes.map((ofColumn) => this.frequencyOfEach(ofColumn));
  }

  private frequencyOfEach(classes: Int32Array): Float64Array {
    const totals = new Map<number, number>();
    for (const [n, each] of classes.entries())
      totals.set(each, (totals.get(each) ?? 0) + this.rows.weights[n]);
    return Float64Array.from(classes, (each) => totals.get(each)! / this.totalWeight);
  }

  /** The sums over a batch of rows. */
  eStep(batch: readonly number[]): KernelSums {
    const { scores, weights, classes } = this.rows;
    const { covariance, widthWeights, marginalShares } = this.state;
    const [N, M, W] = [this.rows.rows, this.rows.variances.length, KERNEL_WIDTHS.length];
    const factor = choleskyFactor(covariance, M);
    const white = whitened(scores, factor, M);
    let logConstant = -0.5 * M * Math.log(2 * Math.PI);
    for (let d = 0; d < M; d++) logConstant -= Math.log(factor[d * M + d]);
    const logWidths = KERNEL_WIDTHS.map((width, w) => Math.log(widthWeights[w]) - M * Math.log(width));
    const precisions = KERNEL_WIDTHS.map((width) => 1 / width ** 2);
    const logWeights = weights.map(Math.log);
    const sums = {
      scatter: new Float64Array(M * M),
      widths: new Float64Array(W),
      marginals: new Float64Array(classes.length),
    };
    // A product of differences (z_i - z_j)(z_i - z_j)' is z_i z_i' + z_j z_j' - z_i z_j' - z_j z_i', so that the scatter needs only sums of z_j.
    const ofCenters = new Float64Array(N);
    const distances = new Float64Array(N);
    // The logarithm of the density of each center without the factor of the distance, and sums of densities over the widths.
    const logFactors = new Float64Array(N);
    const densities = new Float64Array(N);
    const scaledDensities = new Float64Array(N);
    let [logLikelihood, total] = [0, 0];
    for (const i of batch) {
      logFactors.set(logWeights);
      logFactors[i] = Number.NEGATIVE_INFINITY;
      classes.forEach((ofColumn, k) => {
        const marginal = marginalShares[k] * this.frequencies[k][i];
        const [same, other] = [Math.log(1 - marginalShares[k] + marginal), Math.log(marginal)];
        for (let j = 0; j < N; j++) logFactors[j] += ofColumn[j] === ofColumn[i] ? same : other;
      });
      let largest = Number.NEGATIVE_INFINITY;
      for (let j = 0; j < N; j++) {
        let distance = 0;
        for (let p = i * M, q = j * M; p < (i + 1) * M; p++, q++) distance += (white[p] - white[q]) ** 2;
        distances[j] = distance;
        for (let w = 0; w < W; w++)
          largest = Math.max(largest, logFactors[j] + logWidths[w] - 0.5 * precisions[w] * distance);
      }
      let sum = 0;
      const ofWidths = new Array<number>(W).fill(0);
      for (let j = 0; j < N; j++) {
        densities[j] = 0;
        scaledDensities[j] = 0;
        for (let w = 0; w < W; w++) {
          const logRatio = logFactors[j] + logWidths[w] - 0.5 * precisions[w] * distances[j] - largest;
          if (!(logRatio > -MAX_LOG_RATIO)) continue;
          const density = Math.exp(logRatio);
          ofWidths[w] += density;
          densities[j] += density;
          scaledDensities[j] += precisions[w] * density;
        }
        sum += densities[j];
      }
      if (!(sum > 0)) continue;
      total += weights[i];
      const logOthers = Math.log(this.totalWeight - weights[i]);
      logLikelihood += weights[i] * (logConstant + largest + Math.log(sum) - logOthers);
      const scale = weights[i] / sum;
      for (let w = 0; w < W; w++) sums.widths[w] += scale * ofWidths[w];
      let ofRow = 0;
      const weightedCenters = new Float64Array(M);
      for (let j = 0; j < N; j++) {
        if (densities[j] === 0) continue;
        const weight = scale * scaledDensities[j];
        ofRow += weight;
        ofCenters[j] += weight;
        for (let d = 0; d < M; d++) weightedCenters[d] += weight * scores[j * M + d];
        for (let k = 0; k < classes.length; k++) {
          const share = marginalShares[k];
          const marginal = share * this.frequencies[k][i];
          const ofMarginal = classes[k][j] === classes[k][i] ? marginal / (1 - share + marginal) : 1;
          sums.marginals[k] += scale * densities[j] * ofMarginal;
        }
      }
      const z = scores.subarray(i * M, (i + 1) * M);
      addProducts(sums.scatter, ofRow, z, z);
      addProducts(sums.scatter, -1, z, weightedCenters);
      addProducts(sums.scatter, -1, weightedCenters, z);
    }
    ofCenters.forEach((weight, j) => {
      const z = scores.subarray(j * M, (j + 1) * M);
      addProducts(sums.scatter, weight, z, z);
    });
    return { ...sums, total, logLikelihood: logLikelihood / total };
  }

  /** Moves the state by `step` towards the values that maximize the expected log-likelihood. With `isFull` = false, covariances stay 0. */
  mStep(
    { scatter, widths, marginals, total }: KernelSums,
    prior: { readonly covariance: Float64Array; readonly rows: number },
    { step, isFull }: { readonly step: number; readonly isFull: boolean },
  ): void {
    const { rows: N, variances, cellVariances } = this.rows;
    const { covariance, widthWeights, marginalShares } = this.state;
    const M = variances.length;
    const moved = (from: number, to: number) => from + step * (to - from);
    /** The sum for all rows, as expected from the sum for those of the batch. */
    const ofAllRows = (sum: number) => (sum * N) / total;
    for (let d = 0; d < M; d++) {
      for (let e = isFull ? 0 : d; e <= d; e++) {
        const i = d * M + e;
        let value = (ofAllRows(scatter[i]) + prior.rows * prior.covariance[i]) / (N + prior.rows);
        if (d === e) value = Math.max(value + RIDGE * variances[d], MIN_CELL_SHARE * cellVariances[d]);
        covariance[i] = moved(covariance[i], value);
        covariance[e * M + d] = covariance[i];
      }
    }
    // Each width gets one row more, so that no weight is 0.
    widths.forEach((sum, w) => {
      widthWeights[w] = moved(widthWeights[w], (ofAllRows(sum) + 1) / (N + widths.length));
    });
    marginals.forEach((sum, k) => {
      const value = (ofAllRows(sum) + PRIOR_ROWS_OF_MARGINAL) / (N + 1);
      marginalShares[k] = moved(marginalShares[k], Math.min(MAX_MARGINAL_SHARE, value));
    });
  }
}

/** Adds weight times u v' to the lower triangle of a matrix [M, M]. */
function addProducts(out: Float64Array, weight: number, u: Float64Array, v: Float64Array): void {
  const M = u.length;
  for (let d = 0; d < M; d++) {
    const scaled = weight * u[d];
    for (let e = 0; e <= d; e++) out[d * M + e] += scaled * v[e];
  }
}

/** L^-1 z of each row z of scores [N, M], for the Cholesky factor L. */
function whitened(scores: Float64Array, factor: Float64Array, M: number): Float64Array {
  const white = new Float64Array(scores.length);
  for (let start = 0; start < scores.length; start += M)
    for (let d = 0; d < M; d++) {
      let sum = scores[start + d];
      for (let e = 0; e < d; e++) sum -= factor[d * M + e] * white[start + e];
      white[start + d] = sum / factor[d * M + d];
    }
  return white;
}
