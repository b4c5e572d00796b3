import * as z from "zod/mini";
import { csvRecords } from "../data/csvRecords.ts";
import { PushforwardError } from "../errors.ts";
import { parse, shortened } from "../parse.ts";
import type { TableRow, TableValue } from "../tables/tableRows.ts";
import type { Row, ServedColumn, ServedModel } from "./servedModel.ts";

/** What a request may ask for. */
export interface RequestLimits {
  /** The largest number of rows of a request, sent or drawn. */
  readonly rows: number;
}

const value = z.union([z.number(), z.string(), z.boolean(), z.null()], {
  error: "a number, a text, true, false or null",
});
const row = z.record(z.string(), value);
const rows = z.array(row).check(z.minLength(1));
const seed = z._default(z.int().check(z.nonnegative()), 0);

export const scoreBody = z.strictObject({ rows });
export const imputeBody = z.strictObject({ rows, seed });
export const sampleBody = z.strictObject({
  rows: z._default(z.int().check(z.minimum(1)), 1),
  seed,
  given: z._default(row, {}),
});

/** Parses the body of a request and checks it by a schema. Throws `DATA`. */
export function parseJson<S extends z.ZodMiniType>(schema: S, text: string): z.output<S> {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch (cause) {
    throw new PushforwardError("DATA", "the body is not JSON", { hint: (cause as Error).message, cause });
  }
  return parse(schema, body, "the body", "DATA");
}

/** Throws `DATA` for more rows than a request may have. */
export function checkRows(count: number, limits: RequestLimits): void {
  if (count <= limits.rows) return;
  throw new PushforwardError("DATA", "the request has too many rows", {
    expected: `at most ${limits.rows}`,
    received: `${count}`,
    hint: "Split it into several requests.",
  });
}

/** The rows of a CSV text with a header. Empty fields are missing, and columns that the model does not have are left out. Throws `DATA`. */
export function parseCsv(text: string, { columns, given }: Pick<ServedModel, "columns" | "given">): Row[] {
  const [header, ...records] = [...csvRecords(text, ",")].map(({ fields }) => fields);
  if (!header || records.length === 0) {
    throw new PushforwardError("DATA", "the CSV has no rows", { expected: "a header and at least one row" });
  }
  const byName = new Map([...columns, ...given].map((column) => [column.name, column]));
  const used = header.map((name) => byName.get(name));
  return records.map((fields, n) => {
    if (fields.length !== header.length) {
      throw new PushforwardError("DATA", `row ${n} of the CSV has another number of fields than the header`, {
        expected: `${header.length}`,
        received: `${fields.length}`,
      });
    }
    return Object.fromEntries(
      fields.flatMap((field, i) => (used[i] ? [[used[i].name, typedField(field, used[i])]] : [])),
    );
  });
}

function typedField(field: string, { name, type }: ServedColumn): TableValue {
  if (field === "") return null;
  if (type === "boolean" && /^(true|false)$/i.test(field)) return field.toLowerCase() === "true";
  if (type !== "number" && type !== "integer") return field;
  const number = Number(field);
  if (Number.isFinite(number)) return number;
  throw new PushforwardError("DATA", `column "${name}" of the CSV has a value that is not a number`, {
    received: shortened(field),
  });
}

/** Rows as CSV. Missing values are empty fields. */
export function csvOf(names: readonly string[], rows: readonly TableRow[]): string {
  const field = (value: TableValue) => {
    const text = value === null || value === undefined ? "" : String(value);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const lines = [names, ...rows.map((row) => names.map((name) => row[name]))];
  return lines.map((fields) => `${fields.map(field).join(",")}\n`).join("");
}

/** A log-density in JSON, which has no NaN and no infinite numbers: null for NaN, a string for an infinite number. */
export const jsonNumber = (value: number): number | string | null =>
  Number.isNaN(value) ? null : Number.isFinite(value) ? value : String(value);
