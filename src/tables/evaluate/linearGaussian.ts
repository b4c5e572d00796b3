import { HALF_LOG_2_PI } from "../../distributions/index.ts";
import { logNormalInterval } from "../../graph/index.ts";
import { choleskyFactor } from "../../numerics/index.ts";
import { type FeatureScaling, NORMAL, type StandardizedRows } from "./gaussianFeatures.ts";

/** Rows with smaller weights are skipped, because they would hardly change the fit. */
const MIN_WEIGHT = 1e-12;
/** Added to the numbers of rows with each atom, with a missing value and with other values (Jeffreys' prior), so that none has probability 0. */
const PRIOR_ROWS = 0.5;
/**
 * The smallest standard deviation of a lattice, in cells. With it, the cell of the mean already has a probability of nearly 1; a smaller one
 * would only lower the probabilities of other cells.
 */
const MIN_DEVIATION_IN_CELLS = 0.1;

/** The distribution of a feature given the features before: a normal distribution, and probabilities of atoms and of a missing value. */
interface Conditional {
  /** The mean of the normal distribution, minus that of the feature, is offset + slope m with the prediction m from the features before. */
  readonly offset: number;
  readonly slope: number;
  readonly deviation: number;
  /** The log-probabilities of the atoms and, last, of a missing value. */
  readonly logAtoms: readonly number[];
  /** The log-probability of all other values together. */
  readonly logNormal: number;
}

/**
 * A Gaussian as the product of the conditional densities p(x_d | x_1 ... x_(d-1)), which are normal with a constant variance and a mean that
 * is linear in the features before. If all features are real numbers, it is the Gaussian of maximum likelihood with full covariance. Values
 * can also have probabilities:
 *
 * - A cell of a lattice has the probability of the normal distribution between its edges. The first and the last cell include the tails.
 * - Atoms and missing values have probabilities that do not depend on other features. The means of later features are predicted from them as
 *   if they were equal to the mean of their feature.
 */
export class LinearGaussian {
  private readonly scaling: FeatureScaling;
  /** [D] */
  private readonly means: Float64Array;
  /** [D, D] Cholesky factor L of the covariance. */
  private readonly factor: Float64Array;
  private readonly conditionals: readonly Conditional[];

  /** Fits the Gaussian to rows with weights [N]. The ridge is added to the variances. */
  constructor(scaling: FeatureScaling, rows: StandardizedRows, weights: ArrayLike<number>, ridge: number) {
    this.scaling = scaling;
    const D = scaling.features.length;
    this.means = weightedMeans(rows, weights, D);
    this.factor = choleskyFactor(this.covariance(rows, weights, ridge), D);
    const predictions = this.predictions(rows);
    this.conditionals = scaling.features.map((_, d) =>
      this.fitConditional(d, rows, predictions, weights, ridge),
    );
  }

  /** The log-density of each row, in nats and in the units of the data: [N]. */
  logDensities(rows: StandardizedRows): Float64Array {
    const { features, scales } = this.scaling;
    const D = features.length;
    const predictions = this.predictions(rows);
    const out = new Float64Array(rows.rows);
    for (const [d, feature] of features.entries()) {
      if (feature.type === "context") continue;
      const { offset, slope, deviation, logAtoms, logNormal } = this.conditionals[d];
      const logUnit = Math.log(deviation * scales[d]) + HALF_LOG_2_PI;
      for (let n = 0, i = d; n < rows.rows; n++, i += D) {
        const code = rows.codes[i];
        if (code !== NORMAL) out[n] += logAtoms[code] ?? Number.NEGATIVE_INFINITY;
        else {
          const residual = rows.values[i] - this.means[d] - offset - slope * predictions[i];
          out[n] +=
            logNormal +
            (feature.type === "lattice"
              ? this.logCell(d, feature.cells, rows.values[i], residual, deviation)
              : -0.5 * (residual / deviation) ** 2 - logUnit);
        }
      }
    }
    return out;
  }

  /** The log-probability of the cell whose center is `value`, a standardized number at the distance `residual` from the mean. */
  private logCell(d: number, cells: number, value: number, residual: number, deviation: number): number {
    const { centers, scales } = this.scaling;
    const cell = Math.round(value * scales[d] + centers[d]);
    const half = 0.5 / scales[d];
    const low = cell === 0 ? Number.NEGATIVE_INFINITY : (residual - half) / deviation;
    const high = cell === cells - 1 ? Number.POSITIVE_INFINITY : (residual + half) / deviation;
    return logNormalInterval(low, high);
  }

  /** The lower triangle of the covariance of the features, where atoms and missing values are at the mean: [D, D]. */
  private covariance({ rows, values, codes }: StandardizedRows, weights: ArrayLike<number>, ridge: number) {
    const D = this.means.length;
    const covariance = new Float64Array(D * D);
    const centered = new Float64Array(D);
    let total = 0;
    for (let n = 0; n < rows; n++) {
      const weight = weights[n];
      if (weight < MIN_WEIGHT) continue;
      total += weight;
      for (let d = 0, i = n * D; d < D; d++, i++)
        centered[d] = codes[i] === NORMAL ? values[i] - this.means[d] : 0;
      for (let d = 0; d < D; d++) {
        const scaled = weight * centered[d];
        if (scaled === 0) continue;
        for (let e = 0; e <= d; e++) covariance[d * D + e] += scaled * centered[e];
      }
    }
    for (let i = 0; i < D * D; i++) covariance[i] /= total;
    for (let d = 0; d < D; d++) covariance[d * D + d] += ridge;
    return covariance;
  }

  /** The conditional mean of each feature given the features before, minus its mean: [N, D]. */
  private predictions({ rows, values, codes }: StandardizedRows): Float64Array {
    const { means, factor } = this;
    const D = means.length;
    const out = new Float64Array(rows * D);
    // z = L^-1 (x - mean): the residuals of the features before, in units of their conditional standard deviations.
    const z = new Float64Array(D);
    for (let n = 0; n < rows; n++) {
      for (let d = 0, i = n * D; d < D; d++, i++) {
        let prediction = 0;
        for (let e = 0, j = d * D; e < d; e++, j++) prediction += factor[j] * z[e];
        const x = codes[i] === NORMAL ? values[i] - means[d] : 0;
        z[d] = (x - prediction) / factor[d * D + d];
        out[i] = prediction;
      }
    }
    return out;
  }

  private fitConditional(
    d: number,
    { rows, values, codes }: StandardizedRows,
    predictions: Float64Array,
    weights: ArrayLike<number>,
    ridge: number,
  ): Conditional {
    const feature = this.scaling.features[d];
    const D = this.means.length;
    const atoms = feature.type === "continuous" ? (feature.atoms?.length ?? 0) : 0;
    const { gaps = false, sharesGap = false } = feature.type === "context" ? {} : feature;
    const coded = new Float64Array(atoms + (gaps || sharesGap ? 1 : 0));
    const forEachNormal = (visit: (x: number, prediction: number, weight: number) => void) => {
      for (let n = 0, i = d; n < rows; n++, i += D) {
        if (codes[i] === NORMAL && weights[n] >= MIN_WEIGHT)
          visit(values[i] - this.means[d], predictions[i], weights[n]);
      }
    };
    for (let n = 0, i = d; n < rows; n++, i += D) if (codes[i] !== NORMAL) coded[codes[i]] += weights[n];
    const sums = { weight: 0, m: 0, xm: 0, mm: 0 };
    forEachNormal((x, m, weight) => {
      sums.weight += weight;
      sums.m += weight * m;
      sums.xm += weight * x * m;
      sums.mm += weight * m * m;
    });
    const total = sums.weight;
    // Atoms and missing values, which count as the mean, shrink the predictions, so the other values are regressed on
    // the predictions. If all rows have other values, the slope is 1 and the offset 0.
    const meanPrediction = total > 0 ? sums.m / total : 0;
    const variance = sums.mm - sums.m * meanPrediction;
    const isRegressed = coded.some((weight) => weight > 0) && variance > ridge * total;
    const slope = isRegressed ? sums.xm / variance : 1;
    const offset = isRegressed ? -slope * meanPrediction : 0;
    let squares = 0;
    forEachNormal((x, m, weight) => {
      squares += weight * (x - offset - slope * m) ** 2;
    });
    const deviation = Math.sqrt((total > 0 ? squares / total : 1) + ridge);
    // Given that an earlier value is missing, the gap that is shared with it has the probability 1.
    const outcomes = sharesGap ? coded.subarray(0, atoms) : coded;
    const all = outcomes.reduce((sum, weight) => sum + weight, total) + PRIOR_ROWS * (outcomes.length + 1);
    const logAtoms = Array.from(outcomes, (weight) => Math.log((weight + PRIOR_ROWS) / all));
    if (sharesGap) logAtoms.push(0);
    const logNormal = outcomes.length > 0 ? Math.log((total + PRIOR_ROWS) / all) : 0;
    const fitted = { offset, slope, deviation, logAtoms, logNormal };
    return feature.type === "lattice" ? { ...fitted, deviation: this.cellDeviation(d, deviation) } : fitted;
  }

  /** The standard deviation of the normal distribution whose cells have this one. */
  private cellDeviation(d: number, deviation: number): number {
    const width = 1 / this.scaling.scales[d];
    // Cells add a twelfth of their squared width to the variance (Sheppard's correction), unless the distribution is narrower than a cell.
    const corrected = deviation > 0.5 * width ? Math.sqrt(deviation ** 2 - width ** 2 / 12) : deviation;
    return Math.max(corrected, MIN_DEVIATION_IN_CELLS * width);
  }
}

/** The mean of each feature over the rows where it is neither an atom nor missing: [D]. */
function weightedMeans({ rows, values, codes }: StandardizedRows, weights: ArrayLike<number>, D: number) {
  const sums = new Float64Array(D);
  const totals = new Float64Array(D);
  for (let n = 0, i = 0; n < rows; n++) {
    for (let d = 0; d < D; d++, i++) {
      if (codes[i] !== NORMAL) continue;
      sums[d] += weights[n] * values[i];
      totals[d] += weights[n];
    }
  }
  return sums.map((sum, d) => (totals[d] > 0 ? sum / totals[d] : 0));
}
