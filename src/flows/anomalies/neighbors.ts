import type { InMemoryDataset } from "../../dataset/index.ts";
import { featureNames, type TableColumn } from "../../tables/tableColumn.ts";

/** The distance to the fifth nearest row is used, because it depends less on single rows than the distance to the nearest one. */
const NEIGHBORS = 5;
/**
 * The squared distance between different labels, and between a missing value and a present one: the mean squared difference of two
 * independent standardized numbers.
 */
const SQUARED_DISTANCE_OF_LABELS = 2;
/** The interquartile range of a normal distribution in standard deviations. */
const INTERQUARTILE_RANGE_OF_NORMAL = 1.349;

/** Computes distances from rows to reference rows [M, D]. Both have features as `positionsInColumn` returns them. */
export class Neighbors {
  private readonly rows: Float64Array;
  /** [D]: 1 / scale of each number, 0 for labels. */
  private readonly inverseScales: Float64Array;

  /** `scales` is the result of `featureScales`. */
  constructor(columns: readonly TableColumn[], rows: Float64Array, scales: Float64Array) {
    this.rows = rows;
    const isLabel = columns.flatMap((column) =>
      featureNames(column).map(() => column.kind === "categorical"),
    );
    this.inverseScales = scales.map((scale, d) => (isLabel[d] ? 0 : 1 / scale));
  }

  /**
   * The Euclidean distance of each row [N, D] to the fifth nearest reference row (Ramaswamy, Rastogi and Shim 2000), or to the farthest
   * one if there are fewer. Numbers are divided by their scale.
   */
  distances(positions: Float64Array): Float64Array {
    const D = this.inverseScales.length;
    return Float64Array.from({ length: positions.length / D }, (_, n) =>
      Math.sqrt(this.squaredDistance(positions.subarray(n * D, (n + 1) * D))),
    );
  }

  private squaredDistance(row: Float64Array): number {
    const { rows, inverseScales } = this;
    const D = inverseScales.length;
    const nearest: number[] = [];
    let limit = Number.POSITIVE_INFINITY;
    for (let start = 0; start < rows.length; start += D) {
      let sum = 0;
      for (let d = 0; d < D && sum < limit; d++) {
        const [a, b] = [row[d], rows[start + d]];
        if (a === b) continue;
        const difference = (a - b) * inverseScales[d];
        if (!Number.isNaN(difference) && inverseScales[d] > 0) sum += difference * difference;
        else if (!(Number.isNaN(a) && Number.isNaN(b))) sum += SQUARED_DISTANCE_OF_LABELS;
      }
      if (sum >= limit) continue;
      nearest.push(sum);
      nearest.sort((x, y) => x - y);
      if (nearest.length > NEIGHBORS) nearest.pop();
      if (nearest.length === NEIGHBORS) limit = nearest[NEIGHBORS - 1];
    }
    return nearest[nearest.length - 1] ?? 0;
  }
}

/**
 * The scale of each feature of rows [N, D]: the smaller of its standard deviation and its interquartile range / 1.349, so that a few far
 * values do not hide the differences of all others. A scale that would be 0 does not count.
 */
export function featureScales({ values, features: D, rows }: InMemoryDataset): Float64Array {
  return Float64Array.from({ length: D }, (_, d) => {
    const column = Float64Array.from({ length: rows }, (_, n) => values[n * D + d]);
    return scaleOf(column.filter((value) => !Number.isNaN(value)).sort());
  });
}

/** The scale of numbers in ascending order; 1 if they are all equal. */
function scaleOf(ascending: Float64Array): number {
  const count = ascending.length;
  if (count === 0) return 1;
  const mean = ascending.reduce((sum, value) => sum + value, 0) / count;
  const deviation = Math.sqrt(ascending.reduce((sum, value) => sum + (value - mean) ** 2, 0) / count);
  const { range } = middleHalf(ascending);
  const scales = [deviation, range / INTERQUARTILE_RANGE_OF_NORMAL].filter((scale) => scale > 0);
  return scales.length === 0 ? 1 : Math.min(...scales);
}

/** The median and the interquartile range of numbers in ascending order. */
export function middleHalf(ascending: Float64Array): { median: number; range: number } {
  const quantile = (p: number) => ascending[Math.round(p * (ascending.length - 1))];
  return { median: quantile(0.5), range: quantile(0.75) - quantile(0.25) };
}
