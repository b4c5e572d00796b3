import type { Matrix } from "./matrix.ts";

/** How many interquartile ranges from the median are far, even for heavy tails. */
const FAR = 1e4;

export interface FarValues {
  readonly name: string;
  /** The one that is farthest from the median. */
  readonly value: number;
  /** How many others are far. */
  readonly others: number;
}

/** The columns that have values far from all others, more than 10,000 interquartile ranges from the median. */
export function farValues({ columns, rows, values }: Matrix): FarValues[] {
  return columns.flatMap((name, d) => {
    const sorted = Float64Array.from({ length: rows }, (_, row) => values[row * columns.length + d]!).sort();
    const at = (share: number) => sorted[Math.round(share * (rows - 1))]!;
    const reach = FAR * (at(0.75) - at(0.25));
    if (reach === 0) return [];
    const middle = at(0.5);
    const far = sorted.filter((value) => Math.abs(value - middle) > reach);
    if (far.length === 0) return [];
    const ends = [far[0]!, far.at(-1)!] as const;
    const value = Math.abs(ends[0] - middle) > Math.abs(ends[1] - middle) ? ends[0] : ends[1];
    return [{ name, value, others: far.length - 1 }];
  });
}
