import { NO_CELL } from "./encode.ts";
import type { TableColumn } from "./tableColumn.ts";

/** What a model can say about a row. */
export const ROW_STATUS = {
  /** It has a log-density. */
  valid: 0,
  /** Its probability is 0: a value is outside the bounds or the lattice of its column, or is not that of a constant. */
  impossible: 1,
  /** A value is missing in a column that had no missing values when it was learned. */
  incomplete: 2,
} as const;

/** `unseen`: a label that no training row had. `impossible` and `incomplete`: see `ROW_STATUS`. */
export type UnlearnedKind = "unseen" | "impossible" | "incomplete";

/** Values of a column that were not learned. */
export interface UnlearnedValues {
  readonly column: string;
  readonly kind: UnlearnedKind;
  /** The number of rows. */
  readonly rows: number;
  /** The first of these rows. */
  readonly row: number;
  /** The value in the first row; undefined if it is missing. */
  readonly value: string | undefined;
}

/**
 * Whether a value of a column was not learned, and how. `value` is its number, as in `RawColumn`, with a label as its index in the column; for
 * a constant it is 1 if it is that of the column and 0 otherwise. `features` are those of the value (`encodeColumn`).
 */
export function unlearnedKind(
  column: TableColumn,
  value: number,
  features: readonly number[],
): UnlearnedKind | undefined {
  if (column.kind === "constant") {
    if (column.value === null) return Number.isNaN(value) ? undefined : "impossible";
    return Number.isNaN(value) ? "incomplete" : value === 1 ? undefined : "impossible";
  }
  if (Number.isNaN(value)) return column.gaps ? undefined : "incomplete";
  switch (column.kind) {
    case "categorical":
      return features[0] < column.labels.length ? undefined : "unseen";
    case "continuous": {
      const { low = Number.NEGATIVE_INFINITY, high = Number.POSITIVE_INFINITY, codes = [] } = column;
      return (value >= low && value <= high) || codes.includes(value) ? undefined : "impossible";
    }
    default:
      return features.includes(NO_CELL) ? "impossible" : undefined;
  }
}
