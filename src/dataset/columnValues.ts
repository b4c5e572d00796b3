/** A table of numbers with named columns. */
export interface ColumnValues {
  readonly columns: readonly string[];
  readonly rows: number;
  /** [rows, columns] in row-major order. */
  readonly values: ArrayLike<number>;
}

/** The values of one column, by its index: [rows]. */
export function columnOf({ columns, rows, values }: ColumnValues, column: number): Float64Array {
  const out = new Float64Array(rows);
  for (let row = 0; row < rows; row++) out[row] = values[row * columns.length + column];
  return out;
}

/** Columns of `rows` values each as one array in row-major order, [rows, columns]. */
export function rowMajor(columns: readonly Float64Array[], rows: number): Float64Array {
  const width = columns.length;
  const out = new Float64Array(rows * width);
  for (const [d, values] of columns.entries())
    for (let n = 0, i = d; n < rows; n++, i += width) out[i] = values[n];
  return out;
}

/** The different values of a column in ascending order, and the number of rows that have each. */
export interface ValueCounts {
  readonly values: readonly number[];
  readonly counts: readonly number[];
  readonly rows: number;
}

/** Counts the values of a column that is sorted in ascending order. */
export function countValues(sorted: ArrayLike<number>): ValueCounts {
  const values: number[] = [];
  const counts: number[] = [];
  for (let i = 0; i < sorted.length; i++) {
    if (i > 0 && sorted[i] === sorted[i - 1]) counts[counts.length - 1]++;
    else {
      values.push(sorted[i]);
      counts.push(1);
    }
  }
  return { values, counts, rows: sorted.length };
}

/** The values that `keep` accepts, with their counts. */
export function filterValues({ values, counts }: ValueCounts, keep: (value: number) => boolean): ValueCounts {
  const kept = values.flatMap((value, i) => (keep(value) ? [i] : []));
  const keptCounts = kept.map((i) => counts[i]);
  const rows = keptCounts.reduce((sum, count) => sum + count, 0);
  return { values: kept.map((i) => values[i]), counts: keptCounts, rows };
}

/** The value of the row at this fraction of the sorted rows. */
export function quantile({ values, counts, rows }: ValueCounts, fraction: number): number {
  const index = Math.round(fraction * (rows - 1));
  let rowsBefore = 0;
  for (let i = 0; i < values.length; i++) {
    rowsBefore += counts[i];
    if (rowsBefore > index) return values[i];
  }
  return Number.NaN;
}

/** The mode: the most frequent value, and the smallest one if several are equally frequent. */
export function mostFrequent({ values, counts }: ValueCounts): {
  readonly value: number;
  readonly count: number;
} {
  let mode = 0;
  for (let i = 1; i < counts.length; i++) if (counts[i] > counts[mode]) mode = i;
  return { value: values[mode], count: counts[mode] };
}

/** The width of the range between the 1% and the 99% quantile. */
export const centralRange = (counted: ValueCounts): number =>
  quantile(counted, 0.99) - quantile(counted, 0.01);
