import { checkOptions, listOfTexts, type OptionRules, PushforwardError } from "../../check/index.ts";
import { type TableRow, typedText } from "../columns/index.ts";
import { excludeColumns, findColumns } from "./columnSelection.ts";
import { trimmed } from "./columnTypes.ts";
import { checkFinite } from "./finiteValues.ts";
import { type TypedColumn, typedColumns } from "./readColumns.ts";
import { openTable, type Table, type TableOptions, tableRules } from "./table.ts";
import { numberExpression, textExpression } from "./valueExpressions.ts";

/** Options of `readObjects`. */
export interface ReadObjectsOptions extends TableOptions {
  /** The columns to read. Default: all. */
  readonly columns?: readonly string[] | undefined;
  /** Columns not to read. Default none. */
  readonly exclude?: readonly string[] | undefined;
}

const objectsRules: OptionRules<ReadObjectsOptions> = {
  ...tableRules,
  columns: listOfTexts,
  exclude: listOfTexts,
};

/**
 * Reads a table as objects, one for each row, as `fitTable` and the methods of a `TableModel` take them. For the sources see `openTable`.
 *
 * Numbers are numbers, but integers beyond 2^53 are bigints. Dates and times are text in ISO 8601, also where a text file has the day or
 * the month first; those with a time zone become UTC and end in Z. Missing values are null. All other text is unchanged: codes such as 007
 * are not numbers.
 *
 * @throws the errors of `openTable`; ARGUMENT if a column is named twice; DATA if a column does not exist or has a type such as lists, which
 *   `fitTable` does not read, or if a number is infinite, with its column and row; FILE if the file changes meanwhile.
 */
export async function readObjects(
  source: string | readonly string[],
  options: ReadObjectsOptions = {},
): Promise<TableRow[]> {
  checkOptions("readObjects", options, objectsRules);
  const { columns, exclude = [], ...ofTable } = options;
  const table = await openTable(source, ofTable);
  try {
    const chosen = columns
      ? findColumns(table, columns).map(({ name }) => name)
      : table.columns.map(({ name }) => name);
    return await rowsOf(table, excludeColumns(table, chosen, exclude));
  } finally {
    await table.close();
  }
}

async function rowsOf(table: Table, names: readonly string[]): Promise<TableRow[]> {
  const excluded = new Map<string, string>();
  const columns = await typedColumns(table, names, excluded);
  for (const name of excluded.keys()) {
    const { type } = table.columns.find((column) => column.name === name)!;
    throw new PushforwardError(
      "DATA",
      `The column "${name}" of ${table.source} has no values that an object can have`,
      {
        expected: "numbers, text, booleans, dates or times",
        received: type,
        hint: `Leave the column out: { exclude: [${JSON.stringify(name)}] }.`,
      },
    );
  }
  return objectsOf(table, columns);
}

/**
 * All rows of a table as objects with the values of these columns.
 *
 * @throws DATA if a number is infinite, with its column and row; FILE if the file has changed since the table was opened.
 */
export async function objectsOf(table: Table, columns: readonly TypedColumn[]): Promise<TableRow[]> {
  if (columns.length === 0) return Array.from({ length: table.rows }, () => ({}));
  const select = columns.flatMap((column) => valueExpressions(table, column));
  const records = await table.database.run(`SELECT ${select.join(", ")} FROM ${table.relation.sql}`);
  await table.checkUnchanged();
  const numbers = columns.map(({ column: { name }, type }, d) => {
    // In JSON, numbers that are not finite are strings.
    const values = Float64Array.from(records, (record) => Number(record[2 * d + 1] ?? Number.NaN));
    checkFinite(table, { name, type }, values, 1);
    return values;
  });
  return records.map((record, n) =>
    Object.fromEntries(
      columns.map((column, d) => [column.column.name, objectValue(column, record[2 * d], numbers[d]![n]!)]),
    ),
  );
}

/** The SQL of a value as text, NULL unless it is text or an integer beyond 2^53, and as a number, NULL if it is text. */
function valueExpressions(table: Table, { column, type }: TypedColumn): [text: string, number: string] {
  if (type === "text") return [textExpression(table, column), "NULL"];
  const number = numberExpression(table, column, type)!;
  if (type !== "number" && type !== "integer") return ["NULL", number];
  const digits = `ltrim(${trimmed(textExpression(table, column))}, '+')`;
  const isLarge = `abs(${number}) > ${Number.MAX_SAFE_INTEGER} AND regexp_full_match(${digits}, '-?\\d+')`;
  return [`CASE WHEN ${isLarge} THEN ${digits} END`, number];
}

function objectValue({ type, hasTimeZone }: TypedColumn, text: unknown, number: number): TableRow[string] {
  if (type === "text") return text as string | null;
  if (text !== null) return BigInt(text as string);
  if (Number.isNaN(number)) return null;
  if (type === "number" || type === "integer") return number;
  if (type === "boolean") return number === 1;
  return `${typedText(type, number)}${hasTimeZone ? "Z" : ""}`;
}
