import type { Limits } from "../../check/index.ts";
import { choleskyFactor } from "../../numerics/index.ts";
import { iterateKernels } from "./kernelIterations.ts";

/** Factors of the standard deviations of the kernels: a narrow peak, the main part and tails. */
export const KERNEL_WIDTHS = [0.35, 1, 2.5];
const LOG_WIDTHS = KERNEL_WIDTHS.map(Math.log);
const PRECISIONS = KERNEL_WIDTHS.map((width) => 1 / width ** 2);
/**
 * The largest numbers of iterations: first with a diagonal covariance, then with a full one. The first covariance is only the start and the
 * prior of the second one, so its noise need not average out, and all of its steps are whole.
 */
const DIAGONAL_ITERATIONS = 15;
const FULL_ITERATIONS = 30;
/** An iteration computes about this many products. */
const PRODUCTS_PER_ITERATION = 1e7;
const MIN_ROWS_PER_ITERATION = 50;
/** The exponentials of the three widths take about as long as this many products. */
const PRODUCTS_OF_WIDTHS = 60;
/** See `KernelIterations`. */
const TOLERANCE = 1e-4;
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
  /** [M], the means of the numbers. */
  readonly means: Float64Array;
  /** [M], the variances of the numbers, and the variance within a cell of a lattice, or 0 for other columns. */
  readonly variances: Float64Array;
  readonly cellVariances: Float64Array;
  /** For each column of which values have probabilities, [N] the class of each value. All values with a density are one class. */
  readonly classes: readonly Int32Array[];
  /** The covariance is estimated as if there were `shrinkage` (M + 1) additional rows in which the columns are independent. */
  readonly shrinkage: number;
}

/** The parameters of kernels around all rows. */
export interface KernelCovariance {
  /** [M, M], the covariance of kernels of width 1. */
  readonly covariance: Float64Array;
  /** The weights of `KERNEL_WIDTHS`. */
  readonly widthWeights: Float64Array;
  /** For each of `KERNEL_WIDTHS`, the factor by which centers are nearer to the mean of the rows than the rows are. */
  readonly centerFactors: Float64Array;
  /** For each of the `classes`, the share of the marginal distribution in the kernels. */
  readonly marginalShares: Float64Array;
}

/**
 * The covariance that Gaussian kernels around all rows share, by expectation maximization of the leave-one-out likelihood: the density at a
 * row has no kernel around this row. In the M-step the covariance is the mean of the products of the differences between a row and the
 * centers, weighted by the posterior probabilities of the kernels and by 1 / width^2. The covariance of two columns is that of the rows in
 * which both values have a density. The factors of the centers are the least-squares regressions of the rows on the centers, in the metric of
 * the covariance, limited to 0 to 1.
 */
export async function fitKernelCovariance(rows: KernelRows, limits: Limits): Promise<KernelCovariance> {
  const { rows: N, variances, cellVariances, classes, shrinkage } = rows;
  const M = variances.length;
  const W = KERNEL_WIDTHS.length;
  // Silverman's rule of thumb for a normal distribution.
  const ruleOfThumb = (4 / ((M + 2) * N)) ** (2 / (M + 4));
  const state = {
    covariance: new Float64Array(M * M),
    widthWeights: new Float64Array(W).fill(1 / W),
    centerFactors: new Float64Array(W).fill(1),
    marginalShares: new Float64Array(classes.length).fill(0.1),
  };
  for (let d = 0; d < M; d++) state.covariance[d * M + d] = ruleOfThumb * variances[d] + cellVariances[d];
  const steps = new KernelSteps(rows, state);
  // The products for a row and a center. Each pattern of columns with a density costs M^2 products for each center (see `addPattern`). The
  // share of the patterns in a batch is taken to be that of its rows.
  const productsOfPair = PRODUCTS_OF_WIDTHS + 2 * M + (M ** 2 * steps.patternCount) / N;
  const batchSize = Math.min(
    N,
    Math.max(MIN_ROWS_PER_ITERATION, Math.ceil(PRODUCTS_PER_ITERATION / (N * productsOfPair))),
  );
  for (const isFull of [false, true]) {
    const prior = {
      covariance: state.covariance.slice(),
      rows: isFull ? shrinkage * (M + 1) : PRIOR_ROWS_OF_DIAGONAL,
    };
    const maxIterations = isFull ? FULL_ITERATIONS : DIAGONAL_ITERATIONS;
    await iterateKernels(
      { rows: N, batchSize, maxIterations, tolerance: TOLERANCE },
      limits,
      (batchRows, step) => {
        const sums = steps.eStep(batchRows);
        if (!(sums.total > 0)) return undefined;
        steps.mStep(sums, prior, { step, isFull });
        return sums.logLikelihood / sums.total;
      },
    );
  }
  return state;
}

/** Sums over rows of the posterior probabilities of the kernels, weighted by the weights of the rows. */
interface KernelSums {
  /** The weights of the rows. */
  total: number;
  /**
   * [M, M], products of the differences between a row and the centers of kernels, divided by the square of the width. Only the lower
   * triangle. A value without a density has no difference.
   */
  readonly scatter: Float64Array;
  /** [M], the weights of the rows in which a column has a density. */
  readonly smooth: Float64Array;
  /** The posterior probabilities of each width. */
  readonly widths: Float64Array;
  /** For each width, the inner products of whitened rows and centers, and the squares of the centers, both for the factor 1. */
  readonly products: Float64Array;
  readonly squares: Float64Array;
  /** For each of the `classes`, the posterior probability that the class comes from the marginal distribution. */
  readonly marginals: Float64Array;
  /** The leave-one-out log-likelihood. */
  logLikelihood: number;
}

/** The steps of expectation maximization, which change `state`. */
class KernelSteps {
  private readonly rows: KernelRows;
  private readonly state: KernelCovariance;
  private readonly totalWeight: number;
  private readonly logWeights: Float64Array;
  /** For each of the `classes`, the frequency of the class of each row. */
  private readonly frequencies: readonly Float64Array[];
  /** [N], equal for rows with a density in the same columns. */
  private readonly patterns: readonly string[];
  readonly patternCount: number;

  constructor(rows: KernelRows, state: KernelCovariance) {
    this.rows = rows;
    this.state = state;
    this.totalWeight = rows.weights.reduce((sum, weight) => sum + weight, 0);
    this.logWeights = rows.weights.map(Math.log);
    this.frequencies = rows.classes.map((ofColumn) => this.frequencyOfEach(ofColumn));
    this.patterns = Array.from({ length: rows.rows }, (_, n) => this.smoothOf(n).join());
    this.patternCount = new Set(this.patterns).size;
  }

  /** [M], 1 for the values of row n that have a density. */
  private smoothOf(n: number): number[] {
    const M = this.rows.variances.length;
    return Array.from({ length: M }, (_, d) => this.rows.isSmooth[n * M + d]);
  }

  private frequencyOfEach(classes: Int32Array): Float64Array {
    const totals = new Map<number, number>();
    for (const [n, each] of classes.entries())
      totals.set(each, (totals.get(each) ?? 0) + this.rows.weights[n]);
    return Float64Array.from(classes, (each) => totals.get(each)! / this.totalWeight);
  }

  /** The sums over a batch of rows. */
  eStep(batch: readonly number[]): KernelSums {
    const M = this.rows.variances.length;
    const sums = {
      scatter: new Float64Array(M * M),
      smooth: new Float64Array(M),
      widths: new Float64Array(KERNEL_WIDTHS.length),
      products: new Float64Array(KERNEL_WIDTHS.length),
      squares: new Float64Array(KERNEL_WIDTHS.length),
      marginals: new Float64Array(this.rows.classes.length),
      total: 0,
      logLikelihood: 0,
    };
    const factor = choleskyFactor(this.state.covariance, M);
    const ofPatterns = new Map<string, number[]>();
    for (const i of batch) {
      const ofPattern = ofPatterns.get(this.patterns[i]);
      if (ofPattern) ofPattern.push(i);
      else ofPatterns.set(this.patterns[i], [i]);
    }
    for (const ofPattern of ofPatterns.values()) this.addPattern(ofPattern, factor, sums);
    return sums;
  }

  /**
   * Adds to `sums` those of rows with a density in the same columns. Let x be numbers minus the means, in which the other columns are 0, and
   * p_ijw the weight of the kernel of width h_w around a_w x_j at row i, divided by h_w^2. The sum of the products of differences is
   *
   *     sum_ijw p_ijw (x_i - a_w x_j) (x_i - a_w x_j)' = sum_i (p_i x_i x_i' - x_i m_i' - m_i x_i') + sum_j q_j x_j x_j',
   *
   * where p_i = sum_jw p_ijw, m_i = sum_jw p_ijw a_w x_j and q_j = sum_iw p_ijw a_w^2. So a pair costs only M products here, and M for its
   * distance. The errors of these differences are far smaller than the ridge, because numbers on the linear scale are near 0.
   */
  private addPattern(ofPattern: readonly number[], factor: Float64Array, sums: KernelSums): void {
    const { scores, means, weights, classes } = this.rows;
    const [N, M, W] = [this.rows.rows, this.rows.variances.length, KERNEL_WIDTHS.length];
    const { centerFactors } = this.state;
    const smooth = this.smoothOf(ofPattern[0]);
    const numbers = new Float64Array(N * M);
    for (let j = 0, k = 0; j < N; j++)
      for (let d = 0; d < M; d++, k++) numbers[k] = smooth[d] * (scores[k] - means[d]);
    const whitened = whiten(numbers, smooth, factor);
    const squares = squaredNorms(whitened, N);
    let logConstant = 0;
    for (let d = 0; d < M; d++)
      logConstant -= smooth[d] * (Math.log(factor[d * M + d]) + 0.5 * Math.log(2 * Math.PI));
    const smoothCount = smooth.reduce((sum, each) => sum + each, 0);
    const kernels = { densities: new Float64Array(W * N), distances: new Float64Array(N) };
    const centerWeights = new Float64Array(N);
    const weightedSum = new Float64Array(M);
    for (const i of ofPattern) {
      const { sum, logScale } = this.kernelsAt(i, { whitened, squares }, smoothCount, kernels);
      if (!(sum > 0)) continue;
      const scale = weights[i] / sum;
      sums.total += weights[i];
      const logOthers = Math.log(this.totalWeight - weights[i]);
      sums.logLikelihood += weights[i] * (logConstant + logScale + Math.log(sum) - logOthers);
      for (let d = 0; d < M; d++) sums.smooth[d] += weights[i] * smooth[d];
      let rowWeight = 0;
      weightedSum.fill(0);
      for (let j = 0; j < N; j++) {
        let [density, ofSum] = [0, 0];
        for (let w = 0; w < W; w++) {
          const each = scale * kernels.densities[w * N + j];
          if (each === 0) continue;
          density += each;
          sums.widths[w] += each;
          sums.products[w] += 0.5 * each * (squares[i] + squares[j] - kernels.distances[j]);
          sums.squares[w] += each * squares[j];
          rowWeight += PRECISIONS[w] * each;
          ofSum += centerFactors[w] * PRECISIONS[w] * each;
          centerWeights[j] += centerFactors[w] ** 2 * PRECISIONS[w] * each;
        }
        if (density === 0) continue;
        for (let d = 0; d < M; d++) weightedSum[d] += ofSum * numbers[j * M + d];
        for (let k = 0; k < classes.length; k++) {
          const share = this.state.marginalShares[k];
          const marginal = share * this.frequencies[k][i];
          const ofMarginal = classes[k][j] === classes[k][i] ? marginal / (1 - share + marginal) : 1;
          sums.marginals[k] += density * ofMarginal;
        }
      }
      const x = numbers.subarray(i * M, (i + 1) * M);
      for (let d = 0; d < M; d++)
        for (let e = 0; e <= d; e++)
          sums.scatter[d * M + e] += rowWeight * x[d] * x[e] - x[d] * weightedSum[e] - weightedSum[d] * x[e];
    }
    addProducts(sums.scatter, centerWeights, numbers);
  }

  /**
   * Sets `densities` [W, N] to the densities of the kernels at row i, divided by exp(`logScale`) and by the constant factor of the normal
   * densities of the row, and `distances` [N] to the squared distances of the whitened rows. Returns the sum of the densities.
   */
  private kernelsAt(
    i: number,
    { whitened, squares }: { readonly whitened: Float64Array; readonly squares: Float64Array },
    smoothCount: number,
    { densities, distances }: { readonly densities: Float64Array; readonly distances: Float64Array },
  ): { sum: number; logScale: number } {
    const { classes, variances } = this.rows;
    const { widthWeights, centerFactors, marginalShares } = this.state;
    const [N, M, W] = [this.rows.rows, variances.length, KERNEL_WIDTHS.length];
    // The logarithm of the density of each center without the factor of the distance.
    const logFactors = this.logWeights.slice();
    logFactors[i] = Number.NEGATIVE_INFINITY;
    classes.forEach((ofColumn, k) => {
      const marginal = marginalShares[k] * this.frequencies[k][i];
      const [same, other] = [Math.log(1 - marginalShares[k] + marginal), Math.log(marginal)];
      for (let j = 0; j < N; j++) logFactors[j] += ofColumn[j] === ofColumn[i] ? same : other;
    });
    for (let j = 0; j < N; j++) {
      let distance = 0;
      for (let d = 0; d < M; d++) distance += (whitened[i * M + d] - whitened[j * M + d]) ** 2;
      distances[j] = distance;
    }
    let logScale = Number.NEGATIVE_INFINITY;
    for (let w = 0; w < W; w++) {
      const a = centerFactors[w];
      const logFactor = Math.log(widthWeights[w]) - smoothCount * LOG_WIDTHS[w];
      for (let j = 0; j < N; j++) {
        // |x_i - a x_j|^2, without cancellation where a is 1.
        const square = a * distances[j] + (1 - a) * (squares[i] - a * squares[j]);
        const logDensity = logFactors[j] + logFactor - 0.5 * PRECISIONS[w] * square;
        densities[w * N + j] = logDensity;
        logScale = Math.max(logScale, logDensity);
      }
    }
    let sum = 0;
    for (let k = 0; k < W * N; k++) {
      const logRatio = densities[k] - logScale;
      densities[k] = logRatio > -MAX_LOG_RATIO ? Math.exp(logRatio) : 0;
      sum += densities[k];
    }
    return { sum, logScale };
  }

  /**
   * Moves the state by `step` towards the values that maximize the expected log-likelihood. With `isFull` = false, covariances stay 0 and the
   * centers are the rows: kernels whose centers move while they are wide often do not become narrow later.
   */
  mStep(
    { scatter, smooth, widths, products, squares, marginals, total }: KernelSums,
    prior: { readonly covariance: Float64Array; readonly rows: number },
    { step, isFull }: { readonly step: number; readonly isFull: boolean },
  ): void {
    const { rows: N, variances, cellVariances } = this.rows;
    const { covariance, widthWeights, centerFactors, marginalShares } = this.state;
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
    for (const [w, square] of squares.entries()) {
      if (!isFull || !(square > 0)) continue;
      centerFactors[w] = moved(centerFactors[w], Math.min(1, Math.max(0, products[w] / square)));
    }
    marginals.forEach((sum, k) => {
      const value = (ofAllRows(sum) + PRIOR_ROWS_OF_MARGINAL) / (N + 1);
      marginalShares[k] = moved(marginalShares[k], Math.min(MAX_MARGINAL_SHARE, value));
    });
  }
}

/**
 * L^-1 x for the Cholesky factor L and each row x of `numbers` [N, M]. The distance of two rows is the Euclidean distance of the results.
 * Columns without a density are 0 in `numbers`, so their difference in the regressions of the other columns is 0, and 0 in the result.
 */
function whiten(numbers: Float64Array, smooth: readonly number[], factor: Float64Array): Float64Array {
  const M = smooth.length;
  const whitened = new Float64Array(numbers.length);
  for (let n = 0; n < numbers.length; n += M) {
    for (let d = 0; d < M; d++) {
      let residual = numbers[n + d];
      for (let e = 0; e < d; e++) residual -= factor[d * M + e] * whitened[n + e];
      whitened[n + d] = residual / factor[d * M + d];
    }
    for (let d = 0; d < M; d++) whitened[n + d] *= smooth[d];
  }
  return whitened;
}

/** The sums of the squares of the rows of `numbers` [N, M]. */
function squaredNorms(numbers: Float64Array, N: number): Float64Array {
  const M = numbers.length / N;
  return Float64Array.from({ length: N }, (_, n) => {
    let sum = 0;
    for (let k = n * M; k < (n + 1) * M; k++) sum += numbers[k] ** 2;
    return sum;
  });
}

/** Adds the sum of weight times x x' over the rows x of `numbers` [N, M] to the lower triangle of a matrix [M, M]. */
function addProducts(out: Float64Array, weights: Float64Array, numbers: Float64Array): void {
  const M = numbers.length / weights.length;
  for (let n = 0; n < weights.length; n++) {
    for (let d = 0; d < M; d++) {
      const scaled = weights[n] * numbers[n * M + d];
      if (scaled === 0) continue;
      for (let e = 0; e <= d; e++) out[d * M + e] += scaled * numbers[n * M + e];
    }
  }
}
