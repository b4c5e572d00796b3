import { PushforwardError, shortened } from "../../check/index.ts";
import type { TableRow, TableValue } from "../../tables/columns/index.ts";
import { csvRecords, fieldNames, isEmptyRecord, quotedNames } from "../../tables/options/index.ts";
import type { ServedColumn } from "../index.ts";
import { type TableFormat, tooManyRows } from "./tableFormat.ts";

/** CSV with a header, and commas between fields. Empty and blank fields are missing values. */
export const csv: TableFormat = {
  mediaType: "text/csv",
  contentType: "text/csv; charset=utf-8",
  read: (body, columns, maxRows) => readCsv(new TextDecoder().decode(body), columns, maxRows),
  write: (columns, rows) => new TextEncoder().encode(writeCsv(columns, rows)),
};

function readCsv(text: string, columns: readonly ServedColumn[], maxRows: number): TableRow[] {
  const byName = new Map(columns.map((column) => [column.name, column]));
  let used: (ServedColumn | undefined)[] | undefined;
  const rows: TableRow[] = [];
  for (const record of csvRecords(text, ",")) {
    const { fields } = record;
    if (record.isUnclosed) {
      throw new PushforwardError("DATA", "the CSV ends within a field in quotes", {
        expected: "a closing quote",
        hint: "Close the quote, and double each quote within a field.",
      });
    }
    // Only in a table of one column is an empty line a row: one whose value is missing.
    if (isEmptyRecord(record) && used?.length !== 1) continue;
    if (!used) {
      const names = fieldNames(record);
      used = names.map((name) => byName.get(name));
      if (used.every((column) => column === undefined)) throw noKnownColumn(names, columns);
      const repeated = used.find((column, i) => column && used!.indexOf(column) < i);
      if (repeated) {
        throw new PushforwardError("DATA", `two columns of the CSV have the name "${repeated.name}"`, {
          hint: "Leave one of them out.",
        });
      }
      continue;
    }
    if (rows.length === maxRows) throw tooManyRows(maxRows, "more");
    if (fields.length !== used.length) {
      const what = `row ${rows.length} of the CSV has a different number of fields from the header`;
      throw new PushforwardError("DATA", what, { expected: `${used.length}`, received: `${fields.length}` });
    }
    const row: TableRow = {};
    for (const [i, column] of used.entries()) if (column) row[column.name] = typedField(fields[i]!, column);
    rows.push(row);
  }
  if (rows.length > 0) return rows;
  throw new PushforwardError("DATA", "the CSV has no rows", { expected: "a header and at least one row" });
}

const noKnownColumn = (names: readonly string[], columns: readonly ServedColumn[]): PushforwardError =>
  new PushforwardError("DATA", "the CSV has no column of the model", {
    expected: `some of ${quotedNames(columns.map(({ name }) => name))}`,
    received: quotedNames(names),
    hint: "Write the names of the columns in the first line, with commas between them.",
  });

function typedField(field: string, { name, type }: ServedColumn): TableRow[string] {
  const trimmed = field.trim();
  if (trimmed === "") return null;
  if (type === "boolean" && /^(true|false)$/i.test(trimmed)) return trimmed.toLowerCase() === "true";
  if (type !== "number" && type !== "integer") return field;
  const number = Number(field);
  if (Number.isFinite(number)) return number;
  throw new PushforwardError("DATA", `column "${name}" of the CSV has a value that is not a number`, {
    received: shortened(field),
  });
}

function writeCsv(columns: readonly { readonly name: string }[], rows: readonly TableRow[]): string {
  const field = (value: TableValue) => {
    const text = value === null || value === undefined ? "" : String(value);
    return /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const names = columns.map(({ name }) => name);
  const lines = [names, ...rows.map((row) => names.map((name) => row[name]))];
  // Most readers skip empty lines, so the rows after one would be taken for earlier rows.
  return lines.map((fields) => `${fields.map(field).join(",") || '""'}\n`).join("");
}
