import type { Flow, RunOptions } from "../../flows/index.ts";
import { featureNames, nearestCells, type TableColumn } from "../columns/index.ts";
import { Neighbors } from "./neighbors.ts";
import { ReferenceColumns } from "./referenceColumns.ts";
import { Surprise } from "./surprise.ts";

export const STATISTICS = ["surprise", "marginalSurprise", "distance", "rankDistance"] as const;

/** A statistic of rows, see `AnomalyStatistics`. */
export type Statistic = (typeof STATISTICS)[number];

/** The training rows that new rows are compared with, and the scales of their features. */
export interface ReferenceRows {
  /** Training rows [M, D]. Without any, only the surprise is computed. */
  readonly rows: Float64Array;
  /** [D], the scale of each feature in training rows (`featureScales`). */
  readonly featureScales: Float64Array;
}

/** The radius of the intervals whose probability is a surprise, in scales of the feature. It was chosen in bench/adbench. */
const RADIUS = 0.1;
/**
 * The squared distance between different labels, and between a missing value and a present one: the mean squared difference of two
 * independent standardized numbers, and of two independent ranks.
 */
const SQUARED_DISTANCE_OF_LABELS = { scaled: 2, ranks: 1 / 6 };

/**
 * Four statistics that are larger for unusual rows. Each of them detects other anomalies:
 *
 * - surprise: max_k s_k - m_k, where s_k = -log P(|X_k - x_k| <= r_k | x_1 ... x_k-1) under the model and m_k is the mean of s_k in
 *   validation rows; the mean of this for the features in their order and in reverse order. The radius r_k is a tenth of the scale of the
 *   feature. It detects a value that is improbable given the others.
 * - marginal surprise: sum_k -log P(|X_k - x_k| <= r_k), where P is the fraction of the training rows. It detects rare values, also many
 *   that are each only a little rare.
 * - distance: the distance to the tenth nearest training row, or to a nearer one if there are fewer than 500 (`Neighbors`), with numbers
 *   divided by the scale of their feature. It detects rare combinations.
 * - rank distance: the same with each number replaced by its rank among the training rows. A feature whose
 *   values differ widely does not hide the others there.
 */
export class AnomalyStatistics {
  private readonly columns: readonly TableColumn[];
  /** [D], whether a feature is a label. */
  private readonly isLabel: readonly boolean[];
  private readonly reference: ReferenceRows;
  /** [D], the numbers r. */
  readonly radii: Float64Array;
  private readonly modelSurprise: Surprise;
  private readonly marginals: ReferenceColumns;
  private readonly neighbors: Neighbors;
  private readonly rankNeighbors: Neighbors;

  constructor(columns: readonly TableColumn[], flow: Flow, reference: ReferenceRows) {
    const { rows, featureScales } = reference;
    const isLabel = columns.flatMap((column) =>
      featureNames(column).map(() => column.kind === "categorical"),
    );
    this.columns = columns;
    this.isLabel = isLabel;
    this.reference = reference;
    this.radii = featureScales.map((scale) => RADIUS * scale);
    this.modelSurprise = new Surprise(flow, this.radii);
    this.marginals = new ReferenceColumns(rows, isLabel);
    const { scaled, ranks } = SQUARED_DISTANCE_OF_LABELS;
    this.neighbors = new Neighbors({ rows: this.scaled(rows), isLabel, squaredDistanceOfLabels: scaled });
    const rankRows = this.marginals.ranks(rows);
    this.rankNeighbors = new Neighbors({ rows: rankRows, isLabel, squaredDistanceOfLabels: ranks });
  }

  /** The statistics [N] of rows of positions [N, D] (`positionsInColumn`), in the order of `STATISTICS`. */
  async compute(
    positions: Float64Array,
    meanSurprises: Float64Array,
    run: RunOptions,
  ): Promise<Partial<Record<Statistic, Float64Array>>> {
    return this.fromSurprises(positions, await this.surprises(positions, run), meanSurprises);
  }

  /** As `compute`, from the `surprises` of the rows. */
  fromSurprises(
    positions: Float64Array,
    surprises: Float64Array,
    meanSurprises: Float64Array,
  ): Partial<Record<Statistic, Float64Array>> {
    const surprise = this.meanLargestExcesses(surprises, meanSurprises);
    if (this.reference.rows.length === 0) return { surprise };
    const D = this.isLabel.length;
    const marginal = this.marginals.surprises(positions, this.radii);
    return {
      surprise,
      marginalSurprise: surprise.map((_, n) =>
        marginal.subarray(n * D, (n + 1) * D).reduce((sum, value) => sum + value, 0),
      ),
      distance: this.neighbors.distances(this.scaled(positions)),
      rankDistance: this.rankNeighbors.distances(this.marginals.ranks(positions)),
    };
  }

  /**
   * The mean of the finite `surprises` of each factor of each order of the model. A row of probability 0 must not make all statistics
   * infinite.
   */
  meanSurprises(surprises: Float64Array): Float64Array {
    const count = this.surprisesPerRow;
    const counts = new Float64Array(count);
    const sums = new Float64Array(count);
    for (const [i, value] of surprises.entries()) {
      if (!Number.isFinite(value)) continue;
      counts[i % count]++;
      sums[i % count] += value;
    }
    return sums.map((sum, k) => (counts[k] > 0 ? sum / counts[k] : 0));
  }

  /** The marginal surprise of each value of rows of positions [N, D], minus its mean in the training rows: [N, D]. */
  rarities(positions: Float64Array): Float64Array {
    const D = this.isLabel.length;
    const { rows } = this.reference;
    const means = new Float64Array(D);
    for (const [i, value] of this.marginals.surprises(rows, this.radii).entries())
      means[i % D] += (value * D) / rows.length;
    return this.marginals.surprises(positions, this.radii).map((value, i) => value - means[i % D]);
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
    return this.modelSurprise.release();
  }

  /** The `Surprise` [N, orders, factors] of rows of positions; by default that of the model, or of another flow of the same structure. */
  async surprises(
    positions: Float64Array,
    run: RunOptions,
    surprise: Surprise = this.modelSurprise,
  ): Promise<Float64Array> {
    const { factors } = surprise;
    const perRow = this.surprisesPerRow;
    const D = this.isLabel.length;
    const surprises = await surprise.compute(nearestCells(this.columns, positions), run);
    for (const [i, nats] of this.beyondCells(positions).entries()) {
      const first = Math.floor(i / D) * perRow + Math.min(i % D, factors - 1);
      for (let order = 0; order * factors < perRow; order++) surprises[first + order * factors] += nats;
    }
    return surprises;
  }

  /** The number of surprises of a row: one for each factor of each order of the model. */
  get surprisesPerRow(): number {
    return this.modelSurprise.orders * this.modelSurprise.factors;
  }

  /** The mean over the orders of the largest difference between the factors of a row and their means; [N]. */
  private meanLargestExcesses(surprises: Float64Array, means: Float64Array): Float64Array {
    const { orders, factors } = this.modelSurprise;
    const perRow = this.surprisesPerRow;
    const largest = (n: number, order: number): number => {
      let result = Number.NEGATIVE_INFINITY;
      for (let k = order * factors; k < (order + 1) * factors; k++) {
        const value = surprises[n * perRow + k];
        // Both ends of an interval around a very distant value can be infinite, and the log-probability between them is then NaN. Such a
        // value has probability 0.
        result = Math.max(result, Number.isNaN(value) ? Number.POSITIVE_INFINITY : value - means[k]);
      }
      return result;
    };
    return Float64Array.from({ length: surprises.length / perRow }, (_, n) => {
      let sum = 0;
      for (let order = 0; order < orders; order++) sum += largest(n, order);
      return sum / orders;
    });
  }

  /** Positions [N, D] with numbers divided by the scale of their feature. */
  private scaled(positions: Float64Array): Float64Array {
    const { isLabel } = this;
    const { featureScales: scales } = this.reference;
    return positions.map((value, i) =>
      isLabel[i % isLabel.length] ? value : value / scales[i % scales.length],
    );
  }
}
