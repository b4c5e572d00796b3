import type { TableRow } from "pushforward";
import type { Axis } from "./axis.ts";
import type { ModelColumn } from "./messages.ts";

const BINS = 30;

/** The share of the rows in each bin of equal width along an axis. A label has a bin of its own. */
export function histogram(
  axis: Axis,
  { name, kind, labels }: ModelColumn,
  rows: readonly TableRow[],
): number[] {
  const bins = kind === "label" ? labels.length : BINS;
  const [low, high] = kind === "label" ? [-0.5, labels.length - 0.5] : axis.range;
  const counts = new Array<number>(bins).fill(0);
  for (const row of rows) {
    const bin = Math.floor(((axis.place(row[name]) - low) / (high - low)) * bins);
    if (bin >= 0 && bin < bins) counts[bin]! += 1 / rows.length;
  }
  return counts;
}
