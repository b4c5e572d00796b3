import { countValues, mostFrequent, type ValueCounts } from "./columnValues.ts";
import { valuesRepeat } from "./repetition.ts";

/** Two columns whose difference repeats, as a copy does to which a few different corrections were added. */
export interface RepeatedDifference {
  readonly column: number;
  /** One before it. */
  readonly other: number;
  readonly distinct: number;
  /** The share of the rows that have the most frequent difference. */
  readonly modeShare: number;
}

/** Most pairs of columns are ruled out by a few rows: differences that repeat hardly ever all differ in this many rows. */
const FIRST_SAMPLE_ROWS = 48;
/** Most of the other pairs are ruled out by this many rows. */
const SECOND_SAMPLE_ROWS = 500;
/** Fewer rows may agree by chance. */
const MIN_ROWS = 20;

/**
 * Finds columns that differ from one before them by values that repeat, see `valuesRepeat`. A density has no bound along
 * their difference then.
 *
 * @param columns each [rows]. Values that repeat in the columns themselves make their differences repeat.
 * @param first the first column to look at: those before it are given.
 */
export function repeatedDifferences(columns: readonly Float64Array[], first = 0): RepeatedDifference[] {
  const rows = columns[0]?.length ?? 0;
  const found: RepeatedDifference[] = [];
  if (rows < MIN_ROWS) return found;
  for (let column = first; column < columns.length; column++) {
    for (let other = 0; other < column; other++) {
      const counted = (n: number) => differences(columns[column], columns[other], Math.min(n, rows));
      if (rows > FIRST_SAMPLE_ROWS && counted(FIRST_SAMPLE_ROWS).values.length === FIRST_SAMPLE_ROWS)
        continue;
      if (!repeat(counted(SECOND_SAMPLE_ROWS))) continue;
      const all = counted(rows);
      if (!repeat(all)) continue;
      found.push({ column, other, distinct: all.values.length, modeShare: modeShareOf(all) });
      break;
    }
  }
  return found;
}

const repeat = (counted: ValueCounts): boolean =>
  valuesRepeat({ distinct: counted.values.length, modeShare: modeShareOf(counted) }, counted.rows);

const modeShareOf = (counted: ValueCounts): number => mostFrequent(counted).count / counted.rows;

/** The differences of two columns in `n` rows; those that only rounding tells apart are one. */
function differences(a: Float64Array, b: Float64Array, n: number): ValueCounts {
  const stride = a.length / n;
  let largest = 0;
  const sorted = Float64Array.from({ length: n }, (_, i) => {
    const row = Math.floor(i * stride);
    largest = Math.max(largest, Math.abs(a[row]), Math.abs(b[row]));
    return a[row] - b[row];
  }).sort();
  const rounding = 4 * Number.EPSILON * largest;
  for (let i = 1; i < n; i++) if (sorted[i] - sorted[i - 1] <= rounding) sorted[i] = sorted[i - 1];
  return countValues(sorted);
}
