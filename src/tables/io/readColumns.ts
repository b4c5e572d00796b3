import { shortened } from "../../check/index.ts";
import { readAhead } from "../../dataset/index.ts";
import { MAX_LABELS, type RawColumn, textExclusion, type ValueType } from "../columns/index.ts";
import { contentsOfText, withDateOrder } from "./contentsOfText.ts";
import { checkFinite } from "./finiteValues.ts";
import { countTexts, distinctTexts, LabelDictionary } from "./labelDictionary.ts";
import type { Column } from "./relation.ts";
import type { Table } from "./table.ts";
import { rowsPerBlock } from "./tableRows.ts";
import { hasTimeZone, numberExpression, textExpression, valueTypeOf } from "./valueExpressions.ts";

/** Options of `readColumns`. */
export interface ReadColumnsOptions {
  /** Columns of text that are read even if they have more than 2,000 labels, up to 100,000. Default none. */
  readonly categorical?: readonly string[] | undefined;
  /** Columns of integers that are read as text. Default none. */
  readonly asText?: readonly string[] | undefined;
}

/** Columns of a table in memory. */
export interface ReadColumns {
  readonly columns: readonly RawColumn[];
  /** The reasons why columns were not read, by the names of the columns. */
  readonly excluded: ReadonlyMap<string, string>;
}

/** The largest number of labels of a categorical column. */
const MAX_STATED_LABELS = 100_000;
/** The factor by which an approximate count may exceed a limit: DuckDB's `approx_count_distinct` is wrong by a few percent. */
const APPROXIMATION_ERROR = 1.2;

/**
 * Reads all rows of the columns `names` as numbers. Missing values are NULL, NaN and text without a visible character.
 *
 * The type of a column is that of DuckDB. Text that holds only dates or only times has their type. Timestamps and times are rounded
 * down to milliseconds; those with a time zone become UTC. Columns of text with more than 2,000 labels, and of types that no model can use, such
 * as lists, are left out.
 *
 * @throws FILE if the file has changed since the table was opened; DATA if a value is infinite, with its column and row.
 */
export async function readColumns(
  table: Table,
  names: readonly string[],
  { categorical = [], asText = [] }: ReadColumnsOptions = {},
): Promise<ReadColumns> {
  const excluded = new Map<string, string>();
  const typed = (await typedColumns(table, names, excluded)).map(
    (column): TypedColumn => (asText.includes(column.column.name) ? { ...column, type: "text" } : column),
  );
  const texts = typed.filter(({ type }) => type === "text");
  const expressions = texts.map(({ column }) => textExpression(table, column));
  const { database, relation } = table;
  const counts = await countTexts(database, expressions, relation.sql);
  const read = texts.flatMap(({ column }, i) => {
    const stated = categorical.includes(column.name);
    const { rows, distinct } = counts[i]!;
    if (distinct <= (stated ? MAX_STATED_LABELS : MAX_LABELS) * APPROXIMATION_ERROR) return [i];
    excluded.set(column.name, textExclusion({ distinct: Math.min(distinct, rows), rows, isExact: false })!);
    return [];
  });
  const labels = await distinctTexts(
    database,
    read.map((i) => expressions[i]!),
    relation.sql,
  );
  const labelsOf = new Map(read.map((i, k) => [texts[i]!.column.name, labels[k]!]));
  const columns = typed.filter(({ column }) => !excluded.has(column.name));

  const dictionary = new LabelDictionary(database);
  try {
    const sql: string[] = [];
    for (const { column, type } of columns) {
      sql.push(
        type === "text"
          ? await dictionary.indexExpression(textExpression(table, column), labelsOf.get(column.name)!)
          : numberExpression(table, column, type)!,
      );
    }
    const values = await allRows(table, columns, sql);
    return {
      columns: columns.map(({ column: { name }, type, hasTimeZone }, d) => ({
        name,
        type,
        values: values[d]!,
        ...(hasTimeZone && { hasTimeZone }),
        ...(type === "text" && { labels: labelsOf.get(name)! }),
      })),
      excluded,
    };
  } finally {
    await dictionary.close();
  }
}

/** A column with the type of its values, which for text that holds only dates or only times is theirs. */
export interface TypedColumn {
  readonly column: Column;
  readonly type: ValueType;
  readonly hasTimeZone?: true;
}

/** The types of the values of columns. Columns that no model can use go to `excluded`. */
export async function typedColumns(
  table: Table,
  names: readonly string[],
  excluded: Map<string, string>,
): Promise<TypedColumn[]> {
  const columns = names.flatMap((name): TypedColumn[] => {
    const column = table.columns.find((column) => column.name === name)!;
    const type = valueTypeOf(column);
    if (type !== undefined) return [{ column, type, ...(hasTimeZone(column) && { hasTimeZone: true }) }];
    excluded.set(name, `a model cannot learn values of the type ${shortened(column.type, 40)}`);
    return [];
  });
  const contents = await contentsOfText(
    table,
    columns.map(({ column }) => column),
  );
  return columns.map((typed, i) => {
    const content = contents[i];
    const type = content && valueTypeOf({ name: "", type: content.type });
    // Numbers and booleans that are stored as text stay text, because they may be codes.
    if (type !== "date" && type !== "timestamp" && type !== "time") return typed;
    return {
      column: withDateOrder(typed.column, content),
      type,
      ...(content?.hasTimeZone && { hasTimeZone: true }),
    };
  });
}

/** The values of SQL expressions for all rows, one array for each. */
async function allRows(
  table: Table,
  columns: readonly TypedColumn[],
  sql: readonly string[],
): Promise<Float64Array[]> {
  const values = columns.map(() => new Float64Array(table.rows));
  if (columns.length === 0 || table.rows === 0) return values;
  let start = 0;
  const blocks = table.database.stream(sql, table.relation.sql, rowsPerBlock(sql.length));
  try {
    for await (const block of readAhead(blocks)) {
      const rows = block.length / sql.length;
      // The file has grown since it was opened: `checkUnchanged` throws an error.
      if (start + rows > table.rows) break;
      for (const [d, { column, type }] of columns.entries()) {
        const out = values[d]!;
        for (let row = 0, i = d; row < rows; row++, i += sql.length) out[start + row] = block[i]!;
        checkFinite(table, { name: column.name, type }, out.subarray(start, start + rows), start + 1);
      }
      start += rows;
    }
  } finally {
    await table.checkUnchanged();
  }
  return values;
}
