import type { SchemaElement } from "hyparquet";
import type { TableRow } from "pushforward";
import type { ModelColumn, OpenedTable } from "../model/messages.ts";
import { checkColumns, sampledRows, typedValue } from "../model/rows.ts";
import { openParquetFile, type ParquetValue } from "./readParquet.ts";

/** Reads the columns of a model from a Parquet file. Throws if one is missing. */
export async function rowsOfParquet(file: Blob, columns: readonly ModelColumn[]): Promise<OpenedTable> {
  const opened = await openParquetFile(file);
  checkColumns([...opened.columns.keys()], columns);
  const byName = new Map(columns.map((column) => [column.name, column]));
  const names = [...byName.keys()];
  const rows = new Map(
    sampledRows(opened.rows).map((row): [number, TableRow] => [
      row,
      Object.fromEntries(names.map((name) => [name, null])),
    ]),
  );
  await opened.read(names, (name, index, value) => {
    const row = rows.get(index);
    if (row) row[name] = typedValue(textOf(value, opened.columns.get(name)!), byName.get(name)!);
  });
  return { rows: [...rows.values()], total: opened.rows };
}

/** The text of a value in CSV, with dates and times in ISO 8601. */
function textOf(
  value: ParquetValue,
  { logical_type: logical, converted_type: converted }: SchemaElement,
): string {
  if (value instanceof Date) {
    const [date, time] = value.toISOString().split("T") as [string, string];
    return converted === "DATE" || logical?.type === "DATE" ? date : `${date} ${timeOfDay(time)}`;
  }
  if (logical?.type !== "TIME") return String(value);
  const milliseconds = Number(value) / { MILLIS: 1, MICROS: 1e3, NANOS: 1e6 }[logical.unit];
  return timeOfDay(new Date(milliseconds).toISOString().split("T")[1]!);
}

/** The time of day of an ISO text without the zone and without zeros at the end of its fraction. */
const timeOfDay = (time: string): string => time.replace(/\.?0+Z$/, "").replace("Z", "");
