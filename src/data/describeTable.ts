import { type ColumnKind, type ColumnOptions, checkColumnOptions } from "../tables/columnOptions.ts";
import { describeColumn, statedOptions } from "../tables/describeColumn.ts";
import { type InferredColumn, inferColumn } from "../tables/inferColumn.ts";
import type { RawColumn, TableColumn } from "../tables/tableColumn.ts";
import { typedText } from "../tables/typedText.ts";
import { valueRemarks } from "../tables/valueRemarks.ts";
import { excludeColumns, findColumn } from "./columnSelection.ts";
import { readColumns } from "./readColumns.ts";
import type { Column } from "./relation.ts";
import type { Table } from "./table.ts";

/** What a column of a table is taken for. */
export interface DescribedColumn {
  readonly name: string;
  /** DuckDB's type. */
  readonly type: string;
  /** What was inferred, as options of the column; the kind is `exclude` if it is left out. */
  readonly options: ColumnOptions;
  /** The range, the labels or the units; for a column that is left out the reason. */
  readonly details: string;
  /** The share of the rows without a value; undefined for columns that were not read. */
  readonly missing: number | undefined;
  /** What a user should look at. */
  readonly remarks: readonly string[];
}

/** Options of `describeTable`. */
export interface DescribeTableOptions {
  /** Default: all columns. */
  readonly columns?: readonly string[] | undefined;
  /** Columns that are not described. Default none. */
  readonly exclude?: readonly string[] | undefined;
  /** What is stated about columns, in place of what is inferred. */
  readonly kinds?: Readonly<Record<string, ColumnOptions | ColumnKind>>;
  /** Called with the number of columns that are done. */
  onProgress?(columns: number): void;
}

/** Columns are read in groups of about this many numbers (128 MB). */
export const MAX_NUMBERS = 2 ** 24;

/**
 * Infers the kind of each column of a table.
 *
 * @throws ARGUMENT or DATA for unknown columns, for kinds that the values do not have, and for infinite values.
 */
export async function describeTable(
  table: Table,
  { columns, exclude = [], kinds = {}, onProgress }: DescribeTableOptions = {},
): Promise<DescribedColumn[]> {
  const all = table.columns.map(({ name }) => name);
  const chosen = columns?.map((name, i) => findColumn(table, name, columns.indexOf(name) < i).name) ?? all;
  const names = excludeColumns(table, chosen, exclude);
  const stated = checkColumnOptions(kinds, all);
  const categorical = [...stated].flatMap(([name, { kind }]) => (kind === "categorical" ? [name] : []));
  const group = Math.max(1, Math.floor(MAX_NUMBERS / Math.max(1, table.rows)));
  const described: DescribedColumn[] = [];
  for (let start = 0; start < names.length; start += group) {
    const ofGroup = names.slice(start, start + group);
    const read = await readColumns(table, ofGroup, { categorical });
    for (const name of ofGroup) {
      const column = table.columns.find((column) => column.name === name)!;
      const raw = read.columns.find((raw) => raw.name === name);
      const inferred = raw ? inferColumn(raw, stated.get(name)) : { excluded: read.excluded.get(name)! };
      described.push(describedColumn(column, raw, inferred));
    }
    onProgress?.(described.length);
  }
  return described;
}

/** Describes a column by its values, which are undefined if they were not read, and by what was inferred from them. */
export function describedColumn(
  column: Column,
  raw: RawColumn | undefined,
  inferred: InferredColumn,
): DescribedColumn {
  const { name, type } = column;
  const missing =
    raw && raw.values.length > 0 ? raw.values.filter(Number.isNaN).length / raw.values.length : undefined;
  const isExcluded = "excluded" in inferred;
  return {
    name,
    type,
    options: isExcluded ? { kind: "exclude" } : statedOptions(inferred.column),
    details: isExcluded
      ? inferred.excluded
      : describeColumn(inferred.column, rangeOf(raw!, inferred.column)).details,
    missing,
    remarks: [...(raw && !isExcluded ? valueRemarks(raw) : []), ...dateRemarks(column)],
  };
}

/** The smallest and the largest value of numbers and times. */
function rangeOf({ type, values }: RawColumn, { kind }: TableColumn): string {
  if (type === "text" || type === "boolean" || kind === "constant" || kind === "categorical") return "";
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return `${typedText(type, low)} to ${typedText(type, high)}`;
}

const dateRemarks = ({ dateOrder }: Column): string[] =>
  dateOrder === "ambiguous"
    ? [
        "dates in which day and month cannot be told apart: convert them in a query, for example by strptime(..., '%d/%m/%Y')",
      ]
    : [];
