import { countValues, type ValueCounts } from "./columnValues.ts";
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

/** Most pairs are dismissed by a few rows: differences that repeat hardly ever all differ in so many. */
const GLANCE = 48;
/** Most others are dismissed by this many rows. */
const SAMPLE = 500;
/** Fewer rows agree by chance. */
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
      if (rows > GLANCE && counted(GLANCE).values.length === GLANCE) continue;
      if (!repeat(counted(SAMPLE))) continue;
      const all = counted(rows);
      if (!repeat(all)) continue;
      found.push({ column, other, distinct: all.values.length, modeShare: mode(all.counts) / rows });
      break;
    }
  }
  return found;
}

const repeat = ({ values, counts, rows }: ValueCounts): boolean =>
  valuesRepeat({ distinct: values.length, modeShare: mode(counts) / rows }, rows);

const mode = (counts: readonly number[]): number => counts.reduce((most, n) => Math.max(most, n), 0);

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
