import { countValues, mostFrequent, type ValueCounts } from "../../dataset/index.ts";
import { valuesRepeat } from "./repetition.ts";

/** Two columns whose difference has repeated values, as if a few different corrections were added to a copy. */
interface RepeatedDifference {
  readonly column: number;
  /** An earlier column. */
  readonly other: number;
  readonly distinct: number;
  /** The fraction of the rows that have the most frequent difference. */
  readonly modeShare: number;
}

/** A few rows rule out most pairs of columns: repeated differences are hardly ever all different in this many rows. */
const FIRST_SAMPLE_ROWS = 48;
/** This many rows rule out most of the pairs that are left. */
const SECOND_SAMPLE_ROWS = 500;
/** Fewer rows may have equal differences by chance. */
const MIN_ROWS = 20;

/**
 * Finds columns whose difference from an earlier column has repeated values; see `valuesRepeat`. The density is then unbounded in the
 * direction of the difference.
 *
 * @param columns each [rows]. They must not have repeated values themselves, which would make differences repeat.
 * @param first index of the first column to test. The columns before it are given.
 */
export function findRepeatedDifferences(columns: readonly Float64Array[], first = 0): RepeatedDifference[] {
  const rows = columns[0]?.length ?? 0;
  const found: RepeatedDifference[] = [];
  if (rows < MIN_ROWS) return found;
  for (let column = first; column < columns.length; column++) {
    for (let other = 0; other < column; other++) {
      const counted = (n: number) => differences(columns[column], columns[other], Math.min(n, rows));
      if (rows > FIRST_SAMPLE_ROWS && counted(FIRST_SAMPLE_ROWS).values.length === FIRST_SAMPLE_ROWS)
        continue;
      if (!repeats(counted(SECOND_SAMPLE_ROWS))) continue;
      const inAllRows = counted(rows);
      if (!repeats(inAllRows) || !repeatsByMagnitude(columns[column], columns[other])) continue;
      found.push({ column, other, distinct: inAllRows.values.length, modeShare: modeShareOf(inAllRows) });
      break;
    }
  }
  return found;
}

const repeats = (counted: ValueCounts): boolean =>
  valuesRepeat({ distinct: counted.values.length, modeShare: modeShareOf(counted) }, counted.rows);

const modeShareOf = (counted: ValueCounts): number => mostFrequent(counted).count / counted.rows;

/** The differences of two columns in `n` evenly spaced rows. Differences that are equal up to rounding count as one value. */
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

/** Whether the differences still repeat if only those count as equal that rounding of the two values in their own rows can explain. */
function repeatsByMagnitude(a: Float64Array, b: Float64Array): boolean {
  const difference = a.map((value, row) => value - b[row]);
  const rounding = a.map((value, row) => 4 * Number.EPSILON * Math.max(Math.abs(value), Math.abs(b[row])));
  const order = Int32Array.from(a.keys()).sort((i, j) => difference[i] - difference[j]);
  const merged = Float64Array.from(order, (row) => difference[row]);
  for (let i = 1; i < merged.length; i++) {
    const tolerance = Math.max(rounding[order[i]], rounding[order[i - 1]]);
    if (merged[i] - merged[i - 1] <= tolerance) merged[i] = merged[i - 1];
  }
  return repeats(countValues(merged));
}
