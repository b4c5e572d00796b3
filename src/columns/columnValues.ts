/** Rows of named columns. */
export interface ColumnValues {
  readonly columns: readonly string[];
  readonly rows: number;
  /** Row-major, `[rows, columns]`. */
  readonly values: ArrayLike<number>;
}

/** One column of rows. */
export function columnOf({ columns, rows, values }: ColumnValues, column: number): Float64Array {
  const out = new Float64Array(rows);
  for (let row = 0; row < rows; row++) out[row] = values[row * columns.length + column];
  return out;
}

/** The different values of a column, ascending, and in how many rows each is. */
export interface ValueCounts {
  readonly values: readonly number[];
  readonly counts: readonly number[];
  readonly rows: number;
}

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

export function filterValues({ values, counts }: ValueCounts, keep: (value: number) => boolean): ValueCounts {
  const kept = values.flatMap((value, i) => (keep(value) ? [i] : []));
  const left = kept.map((i) => counts[i]);
  return { values: kept.map((i) => values[i]), counts: left, rows: left.reduce((sum, n) => sum + n, 0) };
}

/** The value below which a share of the rows is. */
export function quantile({ values, counts, rows }: ValueCounts, share: number): number {
  const wanted = Math.round(share * (rows - 1));
  let seen = 0;
  for (let i = 0; i < values.length; i++) {
    seen += counts[i];
    if (seen > wanted) return values[i];
  }
  return Number.NaN;
}

/** The most frequent value; of several the smallest. */
export function mostFrequent({ values, counts }: ValueCounts): {
  readonly value: number;
  readonly count: number;
} {
  let mode = 0;
  for (let i = 1; i < counts.length; i++) if (counts[i] > counts[mode]) mode = i;
  return { value: values[mode], count: counts[mode] };
}

/** The range that holds 98% of the rows. */
export const widthOf = (counted: ValueCounts): number => quantile(counted, 0.99) - quantile(counted, 0.01);
