import type { TableColumn } from "../columns/index.ts";
import { trimmed, typedValue } from "./columnTypes.ts";
import { nanToNull, type OutputColumn } from "./copy.ts";
import type { Chunks } from "./database.ts";
import type { Column } from "./relation.ts";
import type { Table } from "./table.ts";
import { isoText, isText, textExpression } from "./valueExpressions.ts";
import { isDelimited, writeJoined } from "./writeJoined.ts";
import { losslessColumns, outputColumns } from "./writeScored.ts";
import { columnField, decodedChunks } from "./writeTable.ts";

/**
 * Writes the table with values in place of missing ones: to a path, in the format that belongs to its extension, or to a stream, as CSV.
 *
 * `features` has the rows of the table as features of a model with the columns `columns`, after imputation, in chunks of any size. A NaN that
 * remains is written as a missing value. Values that the table has are written as they are, and all columns keep their types; in JSON and
 * Parquet, the learned columns of a text file get the types that they represent, except for those that were learned as text, and those with
 * an integer that float64 would change (`writeScored`). Dates of a text file that do not begin with the year are written in ISO 8601, and
 * values that are read as missing (`na`) are missing.
 *
 * @throws ARGUMENT if no format belongs to the extension, or if the number of rows is wrong; FILE if the file cannot be written, or if a file
 *   of the table has changed since it was opened.
 */
export async function writeImputed(
  table: Table,
  columns: readonly TableColumn[],
  features: Chunks,
  destination: string | NodeJS.WritableStream,
): Promise<void> {
  const { sql } = table.relation;
  const values = {
    what: "The imputed rows",
    width: columns.length,
    chunks: decodedChunks(columns, features),
  };
  await writeJoined(table, values, destination, async (format) => {
    const originals = await outputColumns(table, [], format);
    const types = isDelimited(format) ? new Map<string, string>() : await typesToWrite(table, columns);
    return {
      original: sql,
      columns: originals.map((original, i) => {
        const d = columns.findIndex(({ name }) => name === original.name);
        if (d < 0) return original;
        const type = types.get(original.name) ?? original.type;
        return imputed(table, table.columns[i]!, columns[d]!, `computed.c${d}`, { ...original, type });
      }),
    };
  });
}

/** The types of the learned columns of a text file in JSON and Parquet, by their names; without the columns that stay text. */
async function typesToWrite(
  table: Table,
  columns: readonly TableColumn[],
): Promise<ReadonlyMap<string, string>> {
  if (table.relation.text === undefined) return new Map();
  const fields = new Map(columns.filter(({ type }) => type !== "text").map((c) => [c.name, columnField(c)]));
  const learned = table.columns
    .filter(({ name }) => fields.has(name))
    // Imputed values of real numbers are no integers, even if all values of this table are.
    .map((column) =>
      column.type === "BIGINT" && fields.get(column.name)!.type === "DOUBLE"
        ? { ...column, type: "DOUBLE" }
        : column,
    );
  const lossless = await losslessColumns(table, learned);
  // The values of a column of the type VARCHAR are missing, or they are words such as yes and no.
  return new Map(
    lossless.map(({ name, type }) => [name, type === "VARCHAR" ? fields.get(name)!.type : type]),
  );
}

/** A column of the output: the values of the table, and imputed values where these are missing. */
function imputed(
  table: Table,
  column: Column,
  learned: TableColumn,
  number: string,
  { name, type, value: original }: OutputColumn,
): OutputColumn {
  const value = columnField(learned).sql(number);
  if (table.relation.text === undefined) {
    const present = isText(table, column.type)
      ? `CASE WHEN ${textExpression(table, column, "original.")} IS NOT NULL THEN ${original} END`
      : /^(FLOAT|DOUBLE)$/.test(type)
        ? nanToNull(original)
        : original;
    return { name, type, value: `coalesce(${present}, ${converted(value, number, type)})` };
  }
  const text = presentText(table, column);
  const present = type === "VARCHAR" ? text : typedValue(trimmed(text), type);
  return { name, type, value: `coalesce(${present}, TRY_CAST(${value} AS ${type}))` };
}

/** The SQL of the values of a column of a text file, NULL if they are missing. Dates begin with the year, as imputed dates do. */
function presentText(table: Table, column: Column): string {
  const text = textExpression(table, column, "original.");
  if (column.type === "DOUBLE") return `CASE WHEN NOT isnan(TRY_CAST(${text} AS DOUBLE)) THEN ${text} END`;
  if (column.dateOrder === undefined) return text;
  return `CAST(${typedValue(isoText(text, column), column.type)} AS VARCHAR)`;
}

/**
 * The SQL of an imputed value in the type of its column. A time with a time zone is computed from the milliseconds `number`, because DuckDB
 * would read a text without a time zone in that of this machine.
 */
function converted(value: string, number: string, type: string): string {
  if (type === "TIMESTAMP WITH TIME ZONE") return `to_timestamp(${nanToNull(number)} / 1000)`;
  return type === "JSON" ? `to_json(${value})` : `TRY_CAST(${value} AS ${type})`;
}
