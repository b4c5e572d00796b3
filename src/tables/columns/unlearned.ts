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

const KINDS = ["unseen", "impossible", "incomplete"] as const;

/** `unseen`: a label that no training row had. `impossible` and `incomplete`: see `ROW_STATUS`. */
type UnlearnedKind = (typeof KINDS)[number];

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

/** The values of a column in consecutive rows. */
export interface ColumnBlock {
  /**
   * Numbers as in `RawColumn`, but a label is its index in the column that the model learned, and for a constant the number is 1 if the
   * value is that of the constant and 0 otherwise.
   */
  readonly values: Float64Array;
  /** The features of the values (`encodeColumn`), or their positions (`positionsInColumn`). */
  readonly features: readonly Float64Array[];
  /** Whether `features` are positions: one that is not a cell of a lattice is then not impossible. Default false. */
  readonly arePositions?: boolean;
  /** The number of the first row. */
  readonly start: number;
}

/** Counts the values that a model did not learn, block by block. */
export class UnlearnedCounts {
  readonly #found = new Map<string, Counted>();

  /** The values that were counted so far, in the order of the columns. */
  found(columns: readonly TableColumn[]): UnlearnedValues[] {
    return columns.flatMap(({ name }) => KINDS.flatMap((kind) => this.#found.get(`${kind} ${name}`) ?? []));
  }

  /**
   * Counts the values of a block, and sets the status of rows that have no log-density or probability 0. Returns the entries that are
   * new, whose `value` the caller sets, because only the caller knows the text of a number.
   */
  count(column: TableColumn, block: ColumnBlock, status: Uint8Array): Counted[] {
    const first: Counted[] = [];
    for (let n = 0; n < block.values.length; n++) {
      const kind = unlearnedKind(column, block, n);
      if (kind === undefined) continue;
      if (kind !== "unseen") status[n] = Math.max(status[n]!, ROW_STATUS[kind]);
      const key = `${kind} ${column.name}`;
      const earlier = this.#found.get(key);
      if (earlier) earlier.rows++;
      else {
        const found = { column: column.name, kind, rows: 1, row: block.start + n, value: undefined };
        this.#found.set(key, found);
        first.push(found);
      }
    }
    return first;
  }
}

type Counted = { -readonly [key in keyof UnlearnedValues]: UnlearnedValues[key] };

/** Why value `n` of a block was not learned; undefined if it was. */
function unlearnedKind(
  column: TableColumn,
  { values, features, arePositions }: ColumnBlock,
  n: number,
): UnlearnedKind | undefined {
  const value = values[n]!;
  if (column.kind === "constant") {
    if (column.value === null) return Number.isNaN(value) ? undefined : "impossible";
    return Number.isNaN(value) ? "incomplete" : value === 1 ? undefined : "impossible";
  }
  if (Number.isNaN(value)) return column.gaps ? undefined : "incomplete";
  switch (column.kind) {
    case "categorical":
      if (features[0]![n]! < column.labels.length) return undefined;
      return column.isBoolean ? "impossible" : "unseen";
    case "continuous": {
      const { low = Number.NEGATIVE_INFINITY, high = Number.POSITIVE_INFINITY, codes = [] } = column;
      return (value >= low && value <= high) || codes.includes(value) ? undefined : "impossible";
    }
    default:
      return !arePositions && features.some((feature) => feature[n] === NO_CELL) ? "impossible" : undefined;
  }
}
