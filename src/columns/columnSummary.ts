import { type ColumnValues, columnOf, countValues, mostFrequent } from "./columnValues.ts";

/** The range, mean and deviation of a column. */
export interface ColumnSummary {
  readonly name: string;
  /** How many different values there are. */
  readonly distinct: number;
  /** The least difference between two different values; Infinity where there is only one. */
  readonly minimumGap: number;
  /** The share of the rows that have the most frequent value, in (0, 1]. */
  readonly modeShare: number;
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  /** The standard deviation over the rows (divided by their number). */
  readonly std: number;
}

/** Describes each column of a table that has rows. `valuesRepeat` tells from it whether a density is bounded there. */
export function columnSummary(table: ColumnValues): ColumnSummary[] {
  const { columns, rows } = table;
  return columns.map((name, d) => {
    const sorted = columnOf(table, d).sort();
    const counted = countValues(sorted);
    const { values } = counted;
    let minimumGap = Infinity;
    for (let i = 1; i < values.length; i++) minimumGap = Math.min(minimumGap, values[i] - values[i - 1]);
    return {
      name,
      distinct: values.length,
      minimumGap,
      modeShare: mostFrequent(counted).count / rows,
      min: sorted[0],
      max: sorted[rows - 1],
      ...moments(sorted),
    };
  });
}

/** Mean and standard deviation in two passes, scaled by a power of two so that nothing overflows on the way. */
function moments(sorted: Float64Array): { mean: number; std: number } {
  const n = sorted.length;
  const largest = Math.max(-sorted[0], sorted[n - 1]);
  const scale = largest === 0 ? 1 : 2 ** Math.min(1023, Math.floor(Math.log2(largest)));
  let sum = 0;
  for (const value of sorted) sum += value / scale;
  const center = sum / n;
  // The sum of the deviations is what rounding took from the mean; it corrects both moments.
  let deviation = 0;
  let square = 0;
  for (const value of sorted) {
    const difference = value / scale - center;
    deviation += difference;
    square += difference * difference;
  }
  const mean = (center + deviation / n) * scale;
  return { mean, std: Math.sqrt(Math.max(0, square - (deviation * deviation) / n) / n) * scale };
}
