import { type Limits, limitReached } from "../limits.ts";
import { choleskyFactor } from "../numerics/choleskyFactor.ts";

/** Factors of the standard deviations of the kernels: a narrow peak, the main part and tails. */
export const KERNEL_WIDTHS = [0.35, 1, 2.5];
/** Iterations with a diagonal covariance, which is then the prior of the full one, and with a full covariance. */
const DIAGONAL_ITERATIONS = 15;
const FULL_ITERATIONS = 30;
/** A pair of a row and a center costs about M^2 + 60 products for M numbers. An iteration computes about this many products. */
const PRODUCTS_PER_ITERATION = 2e7;
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
/** The share of the distribution of a whole column is estimated as if there were one more row, of which this part came from it. */
const PRIOR_ROWS_OF_MARGINAL = 0.1;
const MAX_MARGINAL_SHARE = 0.95;

/** The rows that are the centers of kernels. */
export interface KernelRows {
  readonly rows: number;
  /** [N], the weights of the rows. */
  readonly weights: Float64Array;
  /** [N, M] numbers on the linear scale. Values that have no density have a number too, where their kernels have their centers. */
  readonly scores: Float64Array;
  /** [N, M], 1 for values that have a density, and 0 for others. */
  readonly isSmooth: ArrayLike<number>;
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
 * centers, weighted by the posterior probabilities of the kernels and by 1 / width^2. The covariance of two columns is that of the rows in
 * which both values have a density.
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
  const batch = Math.min(N, Math.ceil(PRODUCTS_PER_ITERATION / (N * (M ** 2 + 60))));
  let first = 0;
  for (const isFull of [false, true]) {
    const prior = {
      covariance: state.covariance.slice(),
      // With fewer rows than this, a full covariance would not be positive definite.
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
  /**
   * [M, M], products of the differences between a row and the centers, divided by the square of the width. Only the lower triangle. A value
   * without a density has no difference.
   */
  readonly scatter: Float64Array;
  /** [M], the weights of the rows in which a column has a density. */
  readonly smooth: Float64Array;
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
    const { scores, isSmooth, weights, classes } = this.rows;
    const { covariance, widthWeights, marginalShares } = this.state;
    const [N, M, W] = [this.rows.rows, this.rows.variances.length, KERNEL_WIDTHS.length];
    const factor = choleskyFactor(covariance, M);
    const logWidths = KERNEL_WIDTHS.map(Math.log);
    const precisions = KERNEL_WIDTHS.map((width) => 1 / width ** 2);
    const logWeights = weights.map(Math.log);
    const sums = {
      scatter: new Float64Array(M * M),
      smooth: new Float64Array(M),
      widths: new Float64Array(W),
      marginals: new Float64Array(classes.length),
    };
    const differences = new Float64Array(N * M);
    const residuals = new Float64Array(M);
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
      const smooth = Array.from({ length: M }, (_, d) => isSmooth[i * M + d]);
      let [smoothCount, logConstant] = [0, 0];
      for (let d = 0; d < M; d++) {
        smoothCount += smooth[d];
        logConstant -= smooth[d] * (Math.log(factor[d * M + d]) + 0.5 * Math.log(2 * Math.PI));
      }
      const logFactorsOfWidths = widthWeights.map(
        (weight, w) => Math.log(weight) - smoothCount * logWidths[w],
      );
      let largest = Number.NEGATIVE_INFINITY;
      for (let j = 0; j < N; j++) {
        const difference = differences.subarray(j * M, (j + 1) * M);
        for (let d = 0; d < M; d++) difference[d] = smooth[d] * (scores[i * M + d] - scores[j * M + d]);
        const distance = squaredDistance(difference, smooth, factor, residuals);
        distances[j] = distance;
        for (let w = 0; w < W; w++)
          largest = Math.max(largest, logFactors[j] + logFactorsOfWidths[w] - 0.5 * precisions[w] * distance);
      }
      let sum = 0;
      const ofWidths = new Array<number>(W).fill(0);
      for (let j = 0; j < N; j++) {
        densities[j] = 0;
        scaledDensities[j] = 0;
        for (let w = 0; w < W; w++) {
          const logRatio =
            logFactors[j] + logFactorsOfWidths[w] - 0.5 * precisions[w] * distances[j] - largest;
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
      for (let d = 0; d < M; d++) sums.smooth[d] += weights[i] * smooth[d];
      for (let j = 0; j < N; j++) {
        if (densities[j] === 0) continue;
        const difference = differences.subarray(j * M, (j + 1) * M);
        addProducts(sums.scatter, scale * scaledDensities[j], difference);
        for (let k = 0; k < classes.length; k++) {
          const share = marginalShares[k];
          const marginal = share * this.frequencies[k][i];
          const ofMarginal = classes[k][j] === classes[k][i] ? marginal / (1 - share + marginal) : 1;
          sums.marginals[k] += scale * densities[j] * ofMarginal;
        }
      }
    }
    return { ...sums, total, logLikelihood: logLikelihood / total };
  }

  /** Moves the state by `step` towards the values that maximize the expected log-likelihood. With `isFull` = false, covariances stay 0. */
  mStep(
    { scatter, smooth, widths, marginals, total }: KernelSums,
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
        // With the geometric mean of the weights of both columns, the matrix stays positive definite.
        const weight = Math.sqrt(smooth[d] * smooth[e]);
        const ofRows = weight > 0 ? scatter[i] / weight : prior.covariance[i];
        let value = (N * ofRows + prior.rows * prior.covariance[i]) / (N + prior.rows);
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

/**
 * The sum of the squared elements of L^-1 u for the Cholesky factor L, without those of columns that have no density: their difference in the
 * regressions of the others is 0. Overwrites `residuals`.
 */
function squaredDistance(
  u: Float64Array,
  smooth: readonly number[],
  factor: Float64Array,
  residuals: Float64Array,
): number {
  const M = u.length;
  let sum = 0;
  for (let d = 0; d < M; d++) {
    let residual = u[d];
    for (let e = 0; e < d; e++) residual -= factor[d * M + e] * residuals[e];
    residuals[d] = residual / factor[d * M + d];
    sum += smooth[d] * residuals[d] ** 2;
  }
  return sum;
}

/** Adds weight times u u' to the lower triangle of a matrix [M, M]. */
function addProducts(out: Float64Array, weight: number, u: Float64Array): void {
  const M = u.length;
  for (let d = 0; d < M; d++) {
    const scaled = weight * u[d];
    if (scaled === 0) continue;
    for (let e = 0; e <= d; e++) out[d * M + e] += scaled * u[e];
  }
}
