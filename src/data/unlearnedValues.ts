import { NO_CELL } from "../tables/encode.ts";
import type { TableColumn } from "../tables/tableColumn.ts";
import { typedText } from "../tables/typedText.ts";
import type { Table } from "./table.ts";
import { textExpression } from "./valueExpressions.ts";

/** Whether a row has a log-density under a model. */
export const ROW_STATUS = {
  /** It has a log-density. */
  valid: 0,
  /** Its probability is 0: a value is outside the bounds or the lattice of its column, or is not that of a constant. */
  impossible: 1,
  /** A value is missing in a column that had no missing values when it was learned. */
  incomplete: 2,
} as const;

/** Values of a column that were not learned. */
export interface UnlearnedValues {
  readonly column: string;
  /** `unseen`: labels that no training row had. `impossible` and `incomplete`: see `ROW_STATUS`. */
  readonly kind: "unseen" | "impossible" | "incomplete";
  /** The number of rows. */
  readonly rows: number;
  /** The first of these rows, counted from 1. */
  readonly row: number;
  /** The value in the first row; undefined if it is missing. */
  readonly value: string | undefined;
}

/** The values of a block of a column. */
interface Values {
  readonly values: Float64Array;
  /** The features of the values. */
  readonly features: readonly Float64Array[];
  /** The number of the first row. */
  readonly start: number;
}

/** Counts the values that were not learned, block by block. */
export class UnlearnedCounts {
  readonly #table: Table;
  readonly #found = new Map<string, UnlearnedValues>();

  constructor(table: Table) {
    this.#table = table;
  }

  /** In the order of the columns. */
  found(columns: readonly TableColumn[]): UnlearnedValues[] {
    return columns.flatMap(({ name }) =>
      (["unseen", "impossible", "incomplete"] as const).flatMap(
        (kind) => this.#found.get(`${kind} ${name}`) ?? [],
      ),
    );
  }

  /** Counts the values of a block, and sets the status of rows that have no log-density or probability 0. */
  async count(column: TableColumn, block: Values, status: Uint8Array): Promise<void> {
    const { values } = block;
    for (let n = 0; n < values.length; n++) {
      const kind = kindOf(column, block, n);
      if (kind === undefined) continue;
      if (kind !== "unseen") status[n] = Math.max(status[n]!, ROW_STATUS[kind]);
      const key = `${kind} ${column.name}`;
      const before = this.#found.get(key);
      const first = before ?? {
        column: column.name,
        kind,
        row: block.start + n,
        value: kind === "incomplete" ? undefined : await this.#text(column, values[n]!, block.start + n),
      };
      this.#found.set(key, { ...first, rows: (before?.rows ?? 0) + 1 });
    }
  }

  /** The value of a column in a row as text. */
  async #text({ name, type, kind }: TableColumn, value: number, row: number): Promise<string> {
    if (type !== "text" && kind !== "constant") return typedText(type, value);
    const { database, relation, columns } = this.#table;
    const text = textExpression(this.#table, columns.find((column) => column.name === name)!);
    const [[found]] = (await database.rows(
      `SELECT ${text} FROM ${relation.sql} LIMIT 1 OFFSET ${row - 1}`,
    )) as [[string]];
    return found;
  }
}

/** Whether value `n` of a block was not learned, and how. */
function kindOf(
  column: TableColumn,
  { values, features }: Values,
  n: number,
): UnlearnedValues["kind"] | undefined {
  const value = values[n]!;
  if (column.kind === "constant") {
    if (column.value === null) return Number.isNaN(value) ? undefined : "impossible";
    // The value is 1 if it is that of the constant.
    return Number.isNaN(value) ? "incomplete" : value === 1 ? undefined : "impossible";
  }
  if (Number.isNaN(value)) return column.gaps ? undefined : "incomplete";
  switch (column.kind) {
    case "categorical":
      return features[0]![n]! < column.labels.length ? undefined : "unseen";
    case "continuous": {
      const { low = Number.NEGATIVE_INFINITY, high = Number.POSITIVE_INFINITY, codes = [] } = column;
      return (value >= low && value <= high) || codes.includes(value) ? undefined : "impossible";
    }
    default:
      return features.some((feature) => feature[n] === NO_CELL) ? "impossible" : undefined;
  }
}
