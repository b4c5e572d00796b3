import { choleskyFactor, logSumExp } from "../../numerics/index.ts";
import type { Floats } from "../../runtime/index.ts";
import { atomsOf, isCategorical, MISSING, NO_ATOM } from "./heads/columnHead.ts";
import { isolatedAtoms } from "./heads/isolatedAtoms.ts";
import { marginalParameters } from "./heads/marginalParameters.ts";
import { meanOfPossible } from "./meanOfPossible.ts";
import type { MixedGaussianGroup, MixedGaussianMixture } from "./mixedGaussianMixture.ts";
import type { PreparedRows } from "./mixedGaussianRows.ts";

/**
 * The pooled covariance, within all components together, is estimated as if there were this many additional rows with independent columns.
 */
const INDEPENDENT_ROWS = 1;
/** Added to variances, relative to the variance of the column, so that no component collapses onto a few rows. */
const RIDGE = 1e-4;
/**
 * Means, variances and probabilities of a component are estimated as if it had this many additional rows, with the mean, the variance and
 * the frequencies of the whole column.
 */
const PRIOR_ROWS = 0.1;
/** The smallest code of a value (`valueCodes`). */
const FIRST_CODE = NO_ATOM;
/** Rows with smaller responsibilities are skipped, because they hardly change a component. */
const MIN_RESPONSIBILITY = 1e-4;
/** Triangular systems are solved for this many rows at once. `solveRows` has one variable for each of them. */
const ROWS_AT_ONCE = 4;

/** The steps of expectation maximization of a `MixedGaussianMixture`. */
export class MixedGaussianSteps {
  private readonly model: MixedGaussianMixture;
  private readonly rows: PreparedRows;

  constructor(model: MixedGaussianMixture, rows: PreparedRows) {
    this.model = model;
    this.rows = rows;
  }

  /**
   * The M-step: sets the parameters of the model from the responsibilities [N, C] of its components. Each covariance is estimated from the
   * rows of the component and from `sharedRows` additional rows with the pooled covariance. A covariance that all components share is the
   * pooled one. `strength` multiplies the constants that regularize the covariances: `INDEPENDENT_ROWS`, `RIDGE`, and the `PRIOR_ROWS` of
   * variances.
   */
  mStep(responsibilities: Floats, sharedRows: number, strength = 1): void {
    const { model } = this;
    const { rows, weights } = this.rows.data;
    const { components: C, groups } = model;
    const ofComponents = Array.from({ length: C }, () => new Float64Array(rows));
    const totals = new Array<number>(C).fill(0);
    for (let n = 0; n < rows; n++) {
      for (let c = 0; c < C; c++) {
        const weight = (weights?.[n] ?? 1) * responsibilities[n * C + c];
        ofComponents[c][n] = weight;
        totals[c] += weight;
      }
    }
    const total = totals.reduce((sum, each) => sum + each, 0);
    // Each component gets one row more, so that no weight is 0.
    const shares = totals.map((each) => (each + 1) / (total + C));
    model.logWeights.value = Float32Array.from(shares, Math.log);
    // Only the ratios of the weights matter, except that `marginalParameters` adds up to half a row. With weights multiplied by C, it
    // adds at most half a row for all components together.
    const rowWeights = ofComponents.map((weights) =>
      weights.map((weight) => C * (weight + PRIOR_ROWS / rows)),
    );
    const noScores = new Float64Array(rows);
    for (const [g, { head, logits }] of groups.entries()) {
      const count = logits.sizes[1];
      const next = new Float32Array(logits.numbers.length);
      for (const [i, codes] of this.rows.codes[g].entries()) {
        for (let c = 0; c < C; c++) {
          const parameters = marginalParameters(head.heads[i], codes, {
            weights: rowWeights[c],
            z: noScores,
          });
          for (let p = 0; p < count; p++) next[(i * count + p) * C + c] = parameters[p];
        }
      }
      logits.value = next;
    }
    if (this.rows.means.length > 0) this.maximizeGaussians(ofComponents, totals, sharedRows, strength);
  }

  private maximizeGaussians(
    ofComponents: readonly Float64Array[],
    totals: readonly number[],
    sharedRows: number,
    strength: number,
  ): void {
    const { means, covariances, widths } = this.model;
    const M = this.rows.means.length;
    const nextMeans = new Float32Array(means.numbers.length);
    const scatters = ofComponents.map((weights, c) => {
      const { mean, scatter } = this.scatter(weights, totals[c], strength);
      nextMeans.set(mean, c * M);
      return scatter;
    });
    const total = totals.reduce((sum, each) => sum + each, 0);
    const shared = Float64Array.from({ length: M * M }, (_, i) => {
      const sum = scatters.reduce((all, scatter) => all + scatter[i], 0);
      return i % (M + 1) === 0 ? sum / total : sum / (total + strength * INDEPENDENT_ROWS);
    });
    means.value = nextMeans;
    const withRidge = (covariance: Float64Array) => {
      for (let d = 0; d < M; d++) covariance[d * (M + 1)] += strength * RIDGE * this.rows.variances[d];
      return positiveDefinite(covariance, M);
    };
    if (widths) {
      widths.value = new Float32Array(widths.numbers.length).fill(1);
      covariances.value = Float32Array.from(withRidge(shared));
      return;
    }
    const next = new Float32Array(covariances.numbers.length);
    scatters.forEach((scatter, c) => {
      const covariance = scatter.map((sum, i) => (sum + sharedRows * shared[i]) / (totals[c] + sharedRows));
      next.set(withRidge(covariance), c * M * M);
    });
    covariances.value = next;
  }

  /**
   * The weighted mean of the numeric columns, and the sum of weighted products of the deviations from it, [M, M]. The product of two
   * columns is estimated from the rows in which both values have a density, and scaled to all rows.
   */
  private scatter(
    weights: Float64Array,
    total: number,
    strength: number,
  ): { mean: Float64Array; scatter: Float64Array } {
    const { scores, isSmooth } = this.rows;
    const M = this.rows.means.length;
    const used: number[] = [];
    for (let n = 0; n < weights.length; n++) if (weights[n] >= MIN_RESPONSIBILITY) used.push(n);
    const mean = new Float64Array(M);
    for (let d = 0; d < M; d++) {
      let [count, sum] = [PRIOR_ROWS, PRIOR_ROWS * this.rows.means[d]];
      for (const n of used) {
        const weight = weights[n] * isSmooth[n * M + d];
        count += weight;
        sum += weight * scores[n * M + d];
      }
      mean[d] = sum / count;
    }
    const scatter = new Float64Array(M * M);
    /** The sum of the weights of the rows that are in each product. */
    const counts = new Float64Array(M * M);
    const centered = new Float64Array(M);
    for (const n of used) {
      for (let d = 0; d < M; d++) centered[d] = isSmooth[n * M + d] * (scores[n * M + d] - mean[d]);
      for (let d = 0; d < M; d++) {
        if (isSmooth[n * M + d] === 0) continue;
        const scaled = weights[n] * centered[d];
        for (let e = 0; e <= d; e++) {
          scatter[d * M + e] += scaled * centered[e];
          counts[d * M + e] += weights[n] * isSmooth[n * M + e];
        }
      }
    }
    for (let d = 0; d < M; d++) {
      for (let e = 0; e <= d; e++) {
        const priorRows = strength * PRIOR_ROWS;
        const prior = d === e ? priorRows * this.rows.variances[d] : 0;
        const product =
          ((scatter[d * M + e] + prior) * (total + priorRows)) / (counts[d * M + e] + priorRows);
        scatter[d * M + e] = product;
        scatter[e * M + d] = product;
      }
    }
    return { mean, scatter };
  }

  /**
   * The E-step: the responsibilities [N, C] of the components, and the mean log-likelihood. They are computed with normal densities in
   * place of the probabilities of cells. The variance of a lattice is that of numbers spread over their cells, so that these densities are
   * bounded. A row that is impossible under all components has responsibilities of 0, and the mean leaves it out.
   */
  eStep(): { responsibilities: Float64Array; logLikelihood: number } {
    const {
      model: { components: C },
      rows: {
        data: { rows, weights },
      },
    } = this;
    const responsibilities = new Float64Array(rows * C);
    this.addLogProbabilities(responsibilities);
    for (let c = 0; c < C; c++) this.addLogDensities(c, responsibilities);
    const logProb = new Float64Array(rows);
    for (let n = 0; n < rows; n++) {
      const [first, end] = [n * C, (n + 1) * C];
      logProb[n] = logSumExp(responsibilities.subarray(first, end));
      const isPossible = logProb[n] !== Number.NEGATIVE_INFINITY;
      for (let i = first; i < end; i++)
        responsibilities[i] = isPossible ? Math.exp(responsibilities[i] - logProb[n]) : 0;
    }
    return { responsibilities, logLikelihood: meanOfPossible(logProb, weights) };
  }

  /** Adds log w_c and the log-probabilities of categories, atoms and missing values to [N, C]. */
  private addLogProbabilities(out: Float64Array): void {
    const {
      model: { components: C, groups, logWeights },
      rows: {
        data: { rows },
      },
    } = this;
    const logTotal = logSumExp(logWeights.numbers);
    for (let i = 0; i < rows * C; i++) out[i] += logWeights.numbers[i % C] - logTotal;
    for (const [g, group] of groups.entries()) {
      for (const [i, codes] of this.rows.codes[g].entries()) {
        const logProbs = logProbsOfCodes(group, i, C);
        for (let n = 0; n < rows; n++) {
          const first = (codes[n] - FIRST_CODE) * C;
          for (let c = 0; c < C; c++) out[n * C + c] += logProbs[first + c];
        }
      }
    }
  }

  /** Adds the log-densities of the numeric columns under component c to [N, C]. */
  private addLogDensities(c: number, out: Float64Array): void {
    const { scores, isSmooth, cellVariances } = this.rows;
    const {
      model: { components: C, means, covariances, widths },
      rows: {
        data: { rows },
      },
    } = this;
    const M = this.rows.means.length;
    const first = widths ? 0 : c * M * M;
    const factorOfVariances = widths ? widths.numbers[c] ** 2 : 1;
    const covariance = Float64Array.from(
      covariances.numbers.subarray(first, first + M * M),
      (value) => factorOfVariances * value,
    );
    for (let d = 0; d < M; d++) covariance[d * M + d] += cellVariances[d];
    const factor = choleskyFactor(covariance, M);
    const mean = means.numbers.subarray(c * M, (c + 1) * M);
    const logDiagonal = Float64Array.from({ length: M }, (_, d) => Math.log(factor[d * M + d]));
    const standardized = new Float64Array(ROWS_AT_ONCE * M);
    for (let start = 0; start < rows; start += ROWS_AT_ONCE) {
      const end = Math.min(rows, start + ROWS_AT_ONCE);
      for (let n = start; n < end; n++) {
        let logDeterminant = 0;
        for (let d = 0; d < M; d++) {
          const i = n * M + d;
          standardized[d * ROWS_AT_ONCE + n - start] = isSmooth[i] * (scores[i] - mean[d]);
          if (isSmooth[i] > 0) logDeterminant += logDiagonal[d];
        }
        out[n * C + c] -= logDeterminant;
      }
      solveRows(factor, M, standardized);
      for (let n = start; n < end; n++) {
        let squares = 0;
        for (let d = 0; d < M; d++)
          if (isSmooth[n * M + d] > 0) squares += standardized[d * ROWS_AT_ONCE + n - start] ** 2;
        out[n * C + c] -= 0.5 * squares;
      }
    }
  }
}

/**
 * Solves L z = x for `ROWS_AT_ONCE` rows x, [M, ROWS_AT_ONCE], in place. This takes less time than one row after the other, because the
 * sums of several rows do not wait for each other, and each element of L is read once.
 */
function solveRows(factor: Float64Array, M: number, x: Float64Array): void {
  for (let d = 0; d < M; d++) {
    const [row, at] = [d * M, d * ROWS_AT_ONCE];
    let [a, b, c, e] = [x[at], x[at + 1], x[at + 2], x[at + 3]];
    for (let j = 0; j < d; j++) {
      const weight = factor[row + j];
      const k = j * ROWS_AT_ONCE;
      a -= weight * x[k];
      b -= weight * x[k + 1];
      c -= weight * x[k + 2];
      e -= weight * x[k + 3];
    }
    const diagonal = factor[row + d];
    x[at] = a / diagonal;
    x[at + 1] = b / diagonal;
    x[at + 2] = c / diagonal;
    x[at + 3] = e / diagonal;
  }
}

/**
 * The log-probability of each code of column i of a group under each of C components, with the codes in increasing order: `NO_ATOM`,
 * `MISSING` and the atoms, [2 + A, C]. A number without a logit of its own has the log-probability that a value has a normal density.
 */
function logProbsOfCodes({ head, logits }: MixedGaussianGroup, i: number, C: number): Float64Array {
  const ofHead = head.heads[i];
  const atoms = atomsOf(ofHead);
  const isolated = new Set(isolatedAtoms(ofHead));
  const count = logits.sizes[1];
  const missing = count - (head.components ? 3 : 1);
  // Atoms of a lattice that are not isolated have a normal density too.
  const isSmooth = Array.from(
    { length: count },
    (_, p) => !isolated.has(atoms[p]) && !(head.hasMissingAtom && p === missing),
  );
  // A held-out row may have a category that training did not see, which has the probability `unseen`.
  const [logSeen, logUnseen] = isCategorical(ofHead)
    ? [Math.log1p(-ofHead.unseen), Math.log(ofHead.unseen)]
    : [0, 0];
  const logProbs = new Float64Array((atoms.length - FIRST_CODE) * C);
  const setLogProb = (code: number, c: number, logProb: number) => {
    logProbs[(code - FIRST_CODE) * C + c] = logProb;
  };
  for (let c = 0; c < C; c++) {
    const ofColumn = Float64Array.from({ length: count }, (_, p) => logits.numbers[(i * count + p) * C + c]);
    const total = logSumExp(ofColumn);
    const logSmooth = logSumExp(ofColumn.filter((_, p) => isSmooth[p])) - total;
    setLogProb(NO_ATOM, c, isCategorical(ofHead) ? logUnseen : logSmooth);
    // Under all components, the gap that a column shares with an earlier one has the probability 1.
    setLogProb(MISSING, c, head.hasMissingAtom ? ofColumn[missing] - total + logSeen : 0);
    for (const code of atoms.keys())
      setLogProb(code, c, isSmooth[code] ? logSmooth : ofColumn[code] - total + logSeen);
  }
  return logProbs;
}

/**
 * A matrix [size, size] of covariances that were estimated from different rows need not be positive definite. The covariances, but not the
 * variances, are then multiplied by 0.9 until it is, or until they are negligible.
 */
function positiveDefinite(matrix: Float64Array, size: number): Float64Array {
  const withCovariancesTimes = (factor: number) =>
    matrix.map((value, i) => (i % (size + 1) === 0 ? value : factor * value));
  for (let factor = 1; factor > 1e-6; factor *= 0.9) {
    const reduced = withCovariancesTimes(factor);
    if (choleskyFactor(reduced, size).every(Number.isFinite)) return reduced;
  }
  return withCovariancesTimes(0);
}
