import type { InMemoryDataset } from "../../dataset/index.ts";
import { nearestCells } from "../../tables/encode.ts";
import type { TableColumn } from "../../tables/tableColumn.ts";
import type { RunOptions } from "../batchRunner.ts";
import type { Flow } from "../flow.ts";
import { featureScales, middleHalf, Neighbors } from "./neighbors.ts";
import { Surprise } from "./surprise.ts";

/** The median and the interquartile range of a score of ordinary rows. */
interface ScoreScale {
  readonly median: number;
  readonly range: number;
}

/** What a model of a table stores about its training, validation and test rows, to score anomalies. */
export interface AnomalyReference {
  /** Training rows [M, D], to which distances are measured. Empty if the model must not contain any. */
  readonly rows: Float64Array;
  /** [D], the scale of each feature in training rows (`featureScales`). */
  readonly featureScales: Float64Array;
  /** The mean of the finite values of each factor of `Surprise` in validation rows, in nats. */
  readonly meanSurprise: Float64Array;
  /** The scales of the two scores of validation rows. */
  readonly surprise: ScoreScale;
  readonly distance: ScoreScale;
  /** The scores of rows that had no part in the training, in ascending order. Empty if there were none. */
  readonly calibration: Float64Array;
}

/** The maximum number of training rows for distances. More rows take longer, and hardly improve the ranking. */
const MAX_REFERENCE_ROWS = 4000;
/** The maximum number of calibration scores. The smallest p-value is about 1 / this, and more scores would enlarge the model file. */
const MAX_CALIBRATION_ROWS = 10_000;
/**
 * The number of features in the sum of surprises. In a sum over all features, the random variation of the ordinary features,
 * which grows with the square root of their number, would hide a few unusual ones. The number was chosen in bench/adbench.
 */
const MOST_SURPRISING = 3;

/** The rows from which `AnomalyScorer.fit` learns. */
export interface AnomalyRows {
  readonly training: InMemoryDataset;
  readonly validation: InMemoryDataset;
  /** Rows that had no part in the training, whose scores calibrate p-values. */
  readonly test?: InMemoryDataset | undefined;
}

/**
 * The anomaly score of rows of a table: the larger of two scores, each minus its median and divided by its interquartile range in validation
 * rows:
 *
 * - surprise: the sum of -log p(x_k | x_1 ... x_k-1) - m_k over the three features k in which it is largest, where m_k is the
 *   mean of -log p(x_k | ...) in validation rows. The difference does not depend on the units of the columns.
 * - distance: the distance to the fifth nearest of up to 4,000 training rows; see `Neighbors`. Small differences between values
 *   hardly change it, whereas they can change a density by many nats where training values repeat.
 *
 * So an ordinary row has a score of about 0 in every table. A row with a value beyond the cells of a lattice, such as an integer
 * above all training values, has a finite score; with a value outside of the bounds of its column, the score is Infinity.
 */
export class AnomalyScorer {
  readonly reference: AnomalyReference;
  private readonly columns: readonly TableColumn[];
  private readonly surprise: Surprise;
  private readonly neighbors: Neighbors;

  constructor(
    columns: readonly TableColumn[],
    flow: Flow,
    reference: AnomalyReference,
    surprise = new Surprise(flow),
  ) {
    this.reference = reference;
    this.columns = columns;
    this.surprise = surprise;
    this.neighbors = new Neighbors(columns, reference.rows, reference.featureScales);
  }

  /** Fits the scales to rows of features, and scores the test rows. `keepRows` says whether the model may contain training rows. */
  static async fit(
    columns: readonly TableColumn[],
    flow: Flow,
    { training, validation, test }: AnomalyRows,
    { keepRows = true, ...run }: RunOptions & { keepRows?: boolean } = {},
  ): Promise<AnomalyReference> {
    const rows = keepRows ? training.spaced(MAX_REFERENCE_ROWS).values.slice() : new Float64Array(0);
    const unscaled = { median: 0, range: 1 };
    const surprise = new Surprise(flow);
    const scorerWith = (reference: AnomalyReference) => new AnomalyScorer(columns, flow, reference, surprise);
    const initial: AnomalyReference = {
      rows,
      featureScales: featureScales(training),
      meanSurprise: new Float64Array(surprise.factors),
      surprise: unscaled,
      distance: unscaled,
      calibration: new Float64Array(0),
    };
    const surprises = await scorerWith(initial).surprises(validation.values, run);
    const centered = { ...initial, meanSurprise: columnMeans(surprises, surprise.factors) };
    const unscaledScorer = scorerWith(centered);
    const scaled = {
      ...centered,
      surprise: scaleOf(unscaledScorer.sumsOfLargest(surprises)),
      distance: rows.length === 0 ? unscaled : scaleOf(unscaledScorer.neighbors.distances(validation.values)),
    };
    const scores = test
      ? await scorerWith(scaled).score(test.spaced(MAX_CALIBRATION_ROWS).values, run)
      : new Float64Array(0);
    await surprise.release();
    return { ...scaled, calibration: scores.sort() };
  }

  /** The scores of rows of positions [N, D] (`positionsInColumn`), [N]. No value may be missing in a column without gaps. */
  async score(positions: Float64Array, run: RunOptions = {}): Promise<Float64Array> {
    const { rows, surprise, distance } = this.reference;
    const sums = this.sumsOfLargest(await this.surprises(positions, run));
    const scores = sums.map((sum) => (sum - surprise.median) / surprise.range);
    if (rows.length === 0) return scores;
    const distances = this.neighbors.distances(positions);
    return scores.map((score, n) => Math.max(score, (distances[n] - distance.median) / distance.range));
  }

  /**
   * How far the positions [N, D] of lattices are from their nearest cells, in scales of their features; 0 in other columns. The
   * model has no probability there, so the surprise is that of the nearest cell plus 1 nat for each scale, as in the tail of an
   * exponential distribution.
   */
  beyondCells(positions: Float64Array): Float64Array {
    const { featureScales: scales } = this.reference;
    const nearest = nearestCells(this.columns, positions);
    // A missing value is not beyond any cell.
    return positions.map((position, i) => Math.abs(position - nearest[i]) / scales[i % scales.length] || 0);
  }

  release(): Promise<void> {
    return this.surprise.release();
  }

  /** The factors of `Surprise` [N, factors] of rows of positions. */
  private async surprises(positions: Float64Array, run: RunOptions): Promise<Float64Array> {
    const surprises = await this.surprise.ofRows(nearestCells(this.columns, positions), run);
    const beyond = this.beyondCells(positions);
    const perFactor = positions.length / surprises.length;
    beyond.forEach((nats, i) => {
      surprises[Math.floor(i / perFactor)] += nats;
    });
    return surprises;
  }

  /** The sum of the largest factors of each row, each minus its mean. */
  private sumsOfLargest(surprises: Float64Array): Float64Array {
    const { meanSurprise } = this.reference;
    const K = meanSurprise.length;
    return Float64Array.from({ length: surprises.length / K }, (_, n) => {
      // In float32 both edges of a very distant cell can be infinite, and the log-probability between them is then NaN. Such a
      // value has probability 0.
      const excess = surprises
        .subarray(n * K, (n + 1) * K)
        .map((value, k) => (Number.isNaN(value) ? Number.POSITIVE_INFINITY : value - meanSurprise[k]));
      return excess
        .sort()
        .slice(-MOST_SURPRISING)
        .reduce((sum, value) => sum + value, 0);
    });
  }
}

/** The mean of the finite values in each column of rows [N, K]: [K]. A row of probability 0 must not make all scores infinite. */
function columnMeans(values: Float64Array, columns: number): Float64Array {
  const counts = new Float64Array(columns);
  const sums = new Float64Array(columns);
  for (const [i, value] of values.entries()) {
    if (!Number.isFinite(value)) continue;
    counts[i % columns]++;
    sums[i % columns] += value;
  }
  return sums.map((sum, k) => (counts[k] > 0 ? sum / counts[k] : 0));
}

/** The scale of scores. If half of them are equal, as in tables of few different rows, their standard deviation replaces the range. */
function scaleOf(scores: Float64Array): ScoreScale {
  const ascending = scores.filter(Number.isFinite).sort();
  if (ascending.length === 0) return { median: 0, range: 1 };
  const { median, range } = middleHalf(ascending);
  const mean = ascending.reduce((sum, value) => sum + value, 0) / ascending.length;
  const deviation = Math.sqrt(
    ascending.reduce((sum, value) => sum + (value - mean) ** 2, 0) / ascending.length,
  );
  return { median, range: range || deviation || 1 };
}
