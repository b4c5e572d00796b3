import { quantile } from "../../numerics/index.ts";
import type { ComparedRows } from "./comparedRows.ts";

/** Rows with numbers divided by their ranges, for `rowDistance`. */
export interface ScaledRows {
  readonly rows: number;
  /** [rows, columns] in row-major order. */
  readonly values: Float64Array;
  readonly isLabel: readonly boolean[];
}

/** Scales several tables by the ranges of the first: of its central 98%, so that outliers do not determine them. */
export function scaleRows(tables: readonly ComparedRows[]): ScaledRows[] {
  const ranges = tables[0].columns.map(({ labels, values }) => (labels ? 1 : rangeOf(values)));
  return tables.map(({ rows, columns }) => {
    const D = columns.length;
    const values = new Float64Array(rows * D);
    columns.forEach((column, d) => {
      for (let n = 0; n < rows; n++) values[n * D + d] = column.values[n] / ranges[d];
    });
    return { rows, values, isLabel: columns.map(({ labels }) => labels !== undefined) };
  });
}

function rangeOf(values: Float64Array): number {
  const sorted = values.filter((value) => !Number.isNaN(value)).sort();
  if (sorted.length === 0) return 1;
  return quantile(sorted, 0.99) - quantile(sorted, 0.01) || sorted[sorted.length - 1] - sorted[0] || 1;
}

/**
 * The distance of two rows with columns of any kind (Gower 1971), from 0 to 1: the mean over the columns of |a - b| / range, at most 1, for
 * numbers, and of 0 or 1 for equal or different labels. Two missing values are equal, and one is different from all values. Where the
 * distance exceeds `limit`, the sum stops early: the result is then some number above `limit`.
 */
export function rowDistance(
  a: ScaledRows,
  i: number,
  b: ScaledRows,
  j: number,
  limit = Number.POSITIVE_INFINITY,
): number {
  const D = a.isLabel.length;
  const maxSum = limit * D;
  let sum = 0;
  for (let d = 0; d < D && sum <= maxSum; d++) {
    const [x, y] = [a.values[i * D + d], b.values[j * D + d]];
    if (x === y || (Number.isNaN(x) && Number.isNaN(y))) continue;
    const difference = a.isLabel[d] ? 1 : Math.abs(x - y);
    // The difference is NaN if one value is missing.
    sum += Number.isNaN(difference) ? 1 : Math.min(1, difference);
  }
  return sum / D;
}

/** The distance of each row of `a` to the nearest row of `b`: [rows of a]. */
export const nearestDistances = (a: ScaledRows, b: ScaledRows): Float64Array =>
  Float64Array.from({ length: a.rows }, (_, i) => {
    let nearest = Number.POSITIVE_INFINITY;
    for (let j = 0; j < b.rows; j++) nearest = Math.min(nearest, rowDistance(a, i, b, j, nearest));
    return nearest;
  });
