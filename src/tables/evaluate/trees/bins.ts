import { countValues } from "../../../dataset/index.ts";
import { lowerBound } from "../../../numerics/index.ts";
import type { ComparedColumn, ComparedRows } from "../comparedRows.ts";

/** Values of a column become bins 0 to 254. Missing values, and labels that the training rows do not have, become this bin. */
export const MISSING_BIN = 255;
export const BINS = 256;

/** How the values of a column become bins. */
export interface ColumnBins {
  /** Whether the bins are ordered, as those of numbers are. */
  readonly isOrdered: boolean;
  /** All bins except the one of missing values, in both orders. */
  readonly ascending: Uint8Array;
  readonly descending: Uint8Array;
  binOf(value: number): number;
}

/** Chooses the bins of each column from training rows. */
export const chooseBins = ({ columns }: ComparedRows): ColumnBins[] =>
  columns.map((column) => (column.labels ? labelBins(column) : numberBins(column)));

/** The bins of the values of all rows, column by column. */
export const binRows = ({ columns }: ComparedRows, bins: readonly ColumnBins[]): Uint8Array[] =>
  columns.map(({ values }, c) => Uint8Array.from(values, (value) => bins[c].binOf(value)));

/**
 * Up to 255 bins of numbers: one for each value if there are at most 255 values; otherwise the limits are quantiles. Each limit is the middle
 * of two neighboring values.
 */
function numberBins({ values }: ComparedColumn): ColumnBins {
  const sorted = values.filter((value) => !Number.isNaN(value)).sort();
  const distinct = countValues(sorted).values;
  const middle = (low: number, high: number) => low + (high - low) / 2;
  const quantile = (k: number) => {
    const position = (k * (sorted.length - 1)) / MISSING_BIN;
    return middle(sorted[Math.floor(position)], sorted[Math.ceil(position)]);
  };
  const limits =
    distinct.length <= MISSING_BIN
      ? distinct.slice(1).map((value, i) => middle(distinct[i], value))
      : Array.from({ length: MISSING_BIN - 1 }, (_, k) => quantile(k + 1));
  return {
    isOrdered: true,
    ...orders(limits.length + 1),
    binOf: (value) => (Number.isNaN(value) ? MISSING_BIN : lowerBound(limits, value)),
  };
}

/** A bin for each label of the training rows; if there are more than 255, the rarest share the last one. */
function labelBins({ values }: ComparedColumn): ColumnBins {
  const { values: labels, counts } = countValues(values.filter((value) => !Number.isNaN(value)).sort());
  const byCount = labels.map((_, i) => i).sort((a, b) => counts[b] - counts[a]);
  const bins = new Map(byCount.map((i, rank) => [labels[i], Math.min(rank, MISSING_BIN - 1)]));
  return {
    isOrdered: false,
    ...orders(Math.min(labels.length, MISSING_BIN)),
    binOf: (value) => bins.get(value) ?? MISSING_BIN,
  };
}

function orders(count: number): Pick<ColumnBins, "ascending" | "descending"> {
  const ascending = Uint8Array.from({ length: count }, (_, bin) => bin);
  return { ascending, descending: ascending.toReversed() };
}
