import { type ColumnValues, columnOf, countValues, mostFrequent } from "../../dataset/index.ts";

/** A description of the values of a column. */
export interface ColumnSummary {
  readonly name: string;
  /** The number of different values. */
  readonly distinct: number;
  /** The smallest difference between two different values; Infinity if there is only one value. */
  readonly minimumGap: number;
  /** The fraction of the rows that have the most frequent value, in (0, 1]. */
  readonly modeShare: number;
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  /** The standard deviation of the rows, with divisor N. */
  readonly std: number;
}

/**
 * Describes each column of a table with at least one row. `valuesRepeat` decides from it whether the density of a column is
 * bounded.
 */
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

/** Mean and standard deviation in two passes, scaled by a power of two so that no intermediate sum overflows. */
function moments(sorted: Float64Array): { mean: number; std: number } {
  const n = sorted.length;
  const largest = Math.max(-sorted[0], sorted[n - 1]);
  const scale = largest === 0 ? 1 : 2 ** Math.min(1023, Math.floor(Math.log2(largest)));
  let sum = 0;
  for (const value of sorted) sum += value / scale;
  const center = sum / n;
  // The sum of the deviations would be 0 without rounding; it corrects both moments (Chan, Golub and LeVeque, 1983).
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
