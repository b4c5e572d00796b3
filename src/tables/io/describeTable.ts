import { anyValue, callback, checkOptions, listOfTexts } from "../../check/index.ts";
import {
  type ColumnOptions,
  checkColumnOptions,
  describeColumn,
  optionsOfColumn,
  type RawColumn,
  type TableColumn,
  textRemarks,
  typedText,
  valueRemarks,
} from "../columns/index.ts";
import type { ColumnKind } from "../options/index.ts";
import { addedNameRemark } from "./addedColumns.ts";
import { excludeColumns, findColumns } from "./columnSelection.ts";
import { type ColumnInference, inferColumns } from "./inferColumns.ts";
import type { Table } from "./table.ts";

/** A column of a table, and the kind that was inferred from its values or stated. */
export interface DescribedColumn {
  readonly name: string;
  /** DuckDB's type. */
  readonly type: string;
  /** The options that state its kind, and its bounds or period; the kind is `exclude` if the column is left out. */
  readonly options: ColumnOptions;
  /** The range, the labels or the units; for a column that is left out the reason. */
  readonly details: string;
  /** The share of the rows without a value; undefined for a column that was not read. */
  readonly missing: number | undefined;
  /** Properties of the values that a user should check, such as codes for missing values. */
  readonly remarks: readonly string[];
}

/** Options of `describeTable`. */
export interface DescribeTableOptions {
  /** Default: all columns. */
  readonly columns?: readonly string[] | undefined;
  /** Columns that are not described. Default none. */
  readonly exclude?: readonly string[] | undefined;
  /** Kinds or options of columns, by their names; they replace the inferred ones. Default none. */
  readonly kinds?: Readonly<Record<string, ColumnOptions | ColumnKind>> | undefined;
  /** Called with the number of columns that are done. */
  onProgress?: ((columns: number) => void) | undefined;
}

/**
 * Infers the kind of each column of a table.
 *
 * @throws ARGUMENT or DATA for unknown columns, for kinds that the values do not have, and for infinite values.
 */
export async function describeTable(
  table: Table,
  options: DescribeTableOptions = {},
): Promise<DescribedColumn[]> {
  checkOptions("describeTable", options, {
    columns: listOfTexts,
    exclude: listOfTexts,
    kinds: anyValue,
    onProgress: callback,
  });
  const { columns, exclude = [], kinds = {}, onProgress } = options;
  const allNames = table.columns.map(({ name }) => name);
  const chosen = columns ? findColumns(table, columns).map(({ name }) => name) : allNames;
  const names = excludeColumns(table, chosen, exclude);
  const described: DescribedColumn[] = [];
  const stated = checkColumnOptions(kinds, allNames);
  for await (const inference of inferColumns(table, names, { kinds: stated })) {
    described.push(describedColumn(inference, stated.get(inference.column.name)));
    onProgress?.(described.length);
  }
  return described;
}

/** Describes a column by its values, if it was read, by what was inferred from them, and by the options that were stated. */
export function describedColumn(inference: ColumnInference, stated?: ColumnOptions): DescribedColumn {
  const { column, raw, inferred } = inference;
  const { name, type } = column;
  const missing =
    raw && raw.values.length > 0 ? raw.values.filter(Number.isNaN).length / raw.values.length : undefined;
  const isExcluded = "excluded" in inferred;
  return {
    name,
    type,
    options: isExcluded ? { kind: "exclude" } : optionsOfColumn(inferred.column, stated),
    details: isExcluded
      ? inferred.excluded
      : describeColumn(inferred.column, rangeOf(raw!, inferred.column)).details,
    missing,
    remarks: remarksOf(inference),
  };
}

function remarksOf(inference: ColumnInference): string[] {
  const ofName = addedNameRemark(inference.column.name);
  return [...remarksOfValues(inference), ...(ofName === undefined ? [] : [ofName])];
}

function remarksOfValues({ column, raw, inferred, unread, hasMergedIntegers }: ColumnInference): string[] {
  if (hasMergedIntegers) return [MERGED_INTEGERS];
  if (column.dateOrder === "ambiguous") return [AMBIGUOUS_DATES];
  if (raw) return valueRemarks(raw, { isLeftOut: "excluded" in inferred });
  return unread ? textRemarks(unread, { isLeftOut: true }) : [];
}

/** The smallest and the largest value of numbers and times. A frequent value beyond the bounds of the others, such as -1, is in a remark. */
function rangeOf({ type, values }: RawColumn, column: TableColumn): string {
  const { kind } = column;
  if (type === "text" || type === "boolean" || kind === "constant" || kind === "categorical") return "";
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  const { low: lowest = Number.NEGATIVE_INFINITY, high: highest = Number.POSITIVE_INFINITY } =
    column.kind === "continuous" ? column : {};
  for (const value of values) {
    if (value < lowest || value > highest) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return `${typedText(type, low)} to ${typedText(type, high)}`;
}

const MERGED_INTEGERS =
  "integers beyond 2^53, read as text because some would become equal as numbers: the kind continuous rounds them";

const AMBIGUOUS_DATES =
  "dates in which day and month cannot be told apart: convert them in a query, for example by strptime(..., '%d/%m/%Y')";
