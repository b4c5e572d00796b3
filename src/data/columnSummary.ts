import type { Matrix } from "./matrix.ts";

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

/**
 * Describes each column of a matrix that has rows.
 *
 * A column of few distinct values, or with a value that many rows share, has no bounded density: its likelihood grows
 * without limit as a flow narrows around these values.
 */
export function columnSummary({ columns, rows, values }: Matrix): ColumnSummary[] {
  return columns.map((name, d) => {
    const sorted = Float64Array.from({ length: rows }, (_, row) => values[row * columns.length + d]!).sort();
    return { name, ...repetition(sorted), min: sorted[0]!, max: sorted[rows - 1]!, ...moments(sorted) };
  });
}

function repetition(sorted: Float64Array): Pick<ColumnSummary, "distinct" | "minimumGap" | "modeShare"> {
  let distinct = 1;
  let minimumGap = Infinity;
  let run = 1;
  let longest = 1;
  for (let i = 1; i < sorted.length; i++) {
    const gap = sorted[i]! - sorted[i - 1]!;
    if (gap === 0) longest = Math.max(longest, ++run);
    else {
      run = 1;
      distinct++;
      minimumGap = Math.min(minimumGap, gap);
    }
  }
  return { distinct, minimumGap, modeShare: longest / sorted.length };
}

/** Mean and standard deviation in two passes, scaled by a power of two so that nothing overflows on the way. */
function moments(sorted: Float64Array): { mean: number; std: number } {
  const n = sorted.length;
  const largest = Math.max(-sorted[0]!, sorted[n - 1]!);
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
