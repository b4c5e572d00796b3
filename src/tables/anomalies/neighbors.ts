import { featureColumn, type InMemoryDataset } from "../../dataset/index.ts";
import { mean, nearestRank } from "../../numerics/index.ts";

/**
 * The distance is that to the tenth nearest row, which depends less on single rows than the distance to the nearest one. Among fewer than
 * 500 rows the tenth nearest is far away, so there the distance is that to a nearer one: one neighbor for each 50 rows. Both numbers were
 * chosen in bench/adbench.
 */
const MAX_NEIGHBORS = 10;
const ROWS_PER_NEIGHBOR = 50;
/** The interquartile range of a normal distribution in standard deviations. */
const INTERQUARTILE_RANGE_OF_NORMAL = 1.349;

/** The reference rows, and how distances to them are measured. */
interface NeighborOptions {
  /** [M, D], the reference rows. Numbers have comparable units; labels are codes; NaN is missing. */
  readonly rows: Float64Array;
  /** [D], whether a feature is a label. */
  readonly isLabel: readonly boolean[];
  /** The squared distance between different labels, and between a missing value and a present one. */
  readonly squaredDistanceOfLabels: number;
}

/** Computes distances from rows to reference rows. */
export class Neighbors {
  private readonly options: NeighborOptions;
  /** k, where the distance is that to the k-th nearest row. */
  private readonly neighbor: number;

  constructor(options: NeighborOptions) {
    this.options = options;
    const rows = options.rows.length / options.isLabel.length;
    this.neighbor = Math.min(MAX_NEIGHBORS, Math.max(1, Math.round(rows / ROWS_PER_NEIGHBOR)));
  }

  /**
   * The Euclidean distance of each row [N, D] to the k-th nearest reference row (Ramaswamy, Rastogi and Shim 2000), where k is a fiftieth
   * of their number, between 1 and 10.
   */
  distances(rows: Float64Array): Float64Array {
    const D = this.options.isLabel.length;
    return Float64Array.from({ length: rows.length / D }, (_, n) =>
      Math.sqrt(this.squaredDistance(rows.subarray(n * D, (n + 1) * D))),
    );
  }

  private squaredDistance(row: Float64Array): number {
    const { neighbor } = this;
    const { rows, isLabel, squaredDistanceOfLabels } = this.options;
    const D = isLabel.length;
    const nearest: number[] = [];
    let limit = Number.POSITIVE_INFINITY;
    for (let start = 0; start < rows.length; start += D) {
      let sum = 0;
      for (let d = 0; d < D && sum < limit; d++) {
        const a = row[d];
        const b = rows[start + d];
        if (a === b) continue;
        const difference = a - b;
        if (!isLabel[d] && !Number.isNaN(difference)) sum += difference * difference;
        else if (!(Number.isNaN(a) && Number.isNaN(b))) sum += squaredDistanceOfLabels;
      }
      if (sum >= limit) continue;
      nearest.push(sum);
      nearest.sort((x, y) => x - y);
      if (nearest.length > neighbor) nearest.pop();
      if (nearest.length === neighbor) limit = nearest[neighbor - 1];
    }
    return nearest[nearest.length - 1] ?? 0;
  }
}

/**
 * The scale of each feature of rows [N, D]: the smaller of its standard deviation and its interquartile range / 1.349, so that a few far
 * values do not hide the differences of all others. If one of them is 0 the other is used, and 1 if both are.
 */
export function featureScales({ values, features: D }: InMemoryDataset): Float64Array {
  return Float64Array.from({ length: D }, (_, d) => {
    return scaleOf(
      featureColumn(values, D, d)
        .filter((value) => !Number.isNaN(value))
        .sort(),
    );
  });
}

/** The scale of numbers in ascending order; 1 if they are all equal. */
function scaleOf(ascending: Float64Array): number {
  if (ascending.length === 0) return 1;
  const center = mean(ascending);
  const deviation = Math.sqrt(mean(ascending.map((value) => (value - center) ** 2)));
  const range = nearestRank(ascending, 0.75) - nearestRank(ascending, 0.25);
  const scales = [deviation, range / INTERQUARTILE_RANGE_OF_NORMAL].filter((scale) => scale > 0);
  return scales.length === 0 ? 1 : Math.min(...scales);
}
