import { selectRows } from "../../dataset/index.ts";
import {
  type ColumnOptions,
  type InferredColumn,
  inferColumn,
  isLearnedAsText,
  type RawColumn,
  type TextCounts,
} from "../columns/index.ts";
import { type ColumnKind, isNumericKind, isTimeKind } from "../options/index.ts";
import { largeIntegersOf } from "./largeIntegers.ts";
import { throwTextKind } from "./learnedExpression.ts";
import { countTextOfColumn } from "./nonNumericColumns.ts";
import { type ReadColumns, readColumns } from "./readColumns.ts";
import type { Column } from "./relation.ts";
import type { Table } from "./table.ts";

/** A column of a table, its values, and what is inferred from them. */
export interface ColumnInference {
  readonly column: Column;
  /** Undefined if the column was not read. */
  readonly raw: RawColumn | undefined;
  readonly inferred: InferredColumn;
  /** What a column of text contains that was not read because it has too many different values. */
  readonly unread?: TextCounts;
  /** Whether the column has integers that are learned as text, or left out, because they would be equal as numbers. */
  readonly hasMergedIntegers?: true;
}

/** Options of `inferColumns`. */
interface InferColumnsOptions {
  /** Options of columns, by their names; they replace the inferred ones. */
  readonly kinds: ReadonlyMap<string, ColumnOptions>;
  /** Whether columns of the kind `exclude` are not read, so that their values may be infinite. Default false. */
  readonly skipExcluded?: boolean | undefined;
  /** The indices of the rows to infer from. Default: all rows. */
  readonly rows?: Int32Array | undefined;
}

/** Columns are read in groups of about this many numbers (128 MB). */
const MAX_VALUES_AT_ONCE = 2 ** 24;

/**
 * Reads columns of a table, and infers the kind of each. A large table is read in groups of columns: memory holds all rows
 * of a few columns, at least one, and not the whole table.
 *
 * @throws ARGUMENT or DATA for kinds that the values do not have, and for infinite values; FILE.
 */
export async function* inferColumns(
  table: Table,
  names: readonly string[],
  { kinds, skipExcluded = false, rows }: InferColumnsOptions,
): AsyncGenerator<ColumnInference> {
  const ofKind = (kind: ColumnKind) => names.filter((name) => kinds.get(name)?.kind === kind);
  const categorical = [...ofKind("categorical"), ...ofKind("boolean")];
  const skipped = skipExcluded ? ofKind("exclude") : [];
  /** Infers a column from its values among those that were read. */
  async function inferFrom(column: Column, read: ReadColumns): Promise<ColumnInference> {
    const { name } = column;
    const allRows = read.columns.find((each) => each.name === name);
    const isUnread = column.type === "VARCHAR" && !allRows && read.excluded.has(name);
    const kind = kinds.get(name)?.kind;
    const hasText = isUnread || (allRows?.labels ?? []).length > 0;
    if (hasText && kind && (isNumericKind(kind) || isTimeKind(kind)))
      await throwTextKind(table, column, kind);
    const raw = allRows && rows ? { ...allRows, values: valuesOfRows(allRows.values, rows) } : allRows;
    const inferred = raw
      ? inferColumn(raw, kinds.get(name))
      : { excluded: read.excluded.get(name) ?? "as requested" };
    return { column, raw, inferred, ...(isUnread && { unread: await countTextOfColumn(table, name) }) };
  }
  const group = Math.max(1, Math.floor(MAX_VALUES_AT_ONCE / Math.max(1, table.rows)));
  for (let start = 0; start < names.length; start += group) {
    const groupNames = names.slice(start, start + group);
    const toRead = groupNames.filter((name) => !skipped.includes(name));
    const read = await readColumns(table, toRead, { categorical });
    for (const name of groupNames) {
      const column = table.columns.find((column) => column.name === name)!;
      const numbers = read.columns.find((each) => each.name === name);
      const large = await largeIntegersOf(table, column, numbers);
      const asText = large !== undefined && isLearnedAsText(numbers!, kinds.get(name), large);
      const learned = asText ? await readColumns(table, [name], { categorical, asText: [name] }) : read;
      yield {
        ...(await inferFrom(column, learned)),
        ...(asText && large.areMerged && { hasMergedIntegers: true }),
      };
    }
  }
}

/** The values of the rows with these indices, which are in ascending order. */
export const valuesOfRows = (values: Float64Array, rows: Int32Array): Float64Array =>
  rows.length === values.length ? values : selectRows(values, rows, 1);
