import { PushforwardError } from "../../check/index.ts";
import { WITH_DECIMAL_COMMA } from "../columns/index.ts";
import { type CsvRecord, fieldNames, firstRecords } from "../options/index.ts";
import { checkColumnNames } from "./columnNames.ts";
import { stringLiteral } from "./database.ts";
import { exactPath } from "./locate.ts";
import { shellQuotedQuery, tableExpression } from "./query.ts";
import type { SourceFile } from "./sourceFile.ts";

/** The format of a delimited text file. */
interface CsvDialect {
  readonly delimiter: string;
  /** The number of lines before the first record: empty ones, and a `SEPARATOR_LINE`. */
  readonly skip: number;
  /** Whether the first record names the columns. */
  readonly header: boolean;
  readonly names: readonly string[];
}

/**
 * The delimiter and the header are detected from at most this many records. Parsing them takes much less time than reading the file.
 */
const MAX_SAMPLED_RECORDS = 100;

/** The first line that Excel reads and writes to state the delimiter, such as sep=; */
const SEPARATOR_LINE = /^sep=([^"\r\n])(?:\r?\n|\r)/i;

/**
 * Detects the dialect of a file from its first records. `delimiter` replaces the detected one. `decimal` is the decimal separator of the
 * numbers, and `na` has the words for missing values.
 *
 * DuckDB's own detection may silently drop lines with another number of fields, ignore quotes, read the table as a single column or
 * rename columns. Here the first record is the header unless all its fields are numbers or missing, and lines with another number of fields
 * are errors.
 *
 * @throws DATA if two columns have the same name, or if it is unclear whether the first record is a header or a row.
 */
export function csvDialect(
  file: SourceFile,
  {
    decimal,
    delimiter: stated,
    na = [],
  }: { decimal?: "." | ","; delimiter?: string | undefined; na?: readonly string[] } = {},
): CsvDialect {
  const whole = file.head.toString("utf8").replace(/^\uFEFF/, "");
  const separator = SEPARATOR_LINE.exec(whole);
  const text = whole.slice(separator?.[0].length ?? 0);
  const delimiter =
    stated ?? separator?.[1] ?? (file.format === "tsv" ? "\t" : detectDelimiter(text, decimal));
  const [first, ...rows] = firstRecords(text, delimiter, MAX_SAMPLED_RECORDS);
  checkHeaderLines(file, text, first!);
  const fields = fieldNames(first!);
  const isNumber = decimal === "," ? isNumberWithComma : isNumberWithPoint;
  const hasNumber = fields.some((field) => field.trim() !== "" && isNumber(field));
  const isValue = (field: string) =>
    field === "" || na.includes(field) || isNumber(field) || (hasNumber && NOT_FINITE.test(field));
  const header = isHeader(fields, rows, isValue);
  if (header === undefined) throw ambiguousHeader(file, fields, delimiter);
  const names = fields.map((field, index) => (header && field.trim() !== "" ? field : `column${index}`));
  checkColumnNames(names, file.name, { hint: "Rename one of them in the first line of the file." });
  const skip = /^[\r\n]*/.exec(text)![0].replaceAll("\r\n", "\n").length + (separator ? 1 : 0);
  return { delimiter, skip, header, names };
}

/**
 * Throws `DATA` for a quoted name with a line break "\n" in a file whose lines end with "\r\n". DuckDB reads no rows of such a file, without
 * an error.
 */
function checkHeaderLines(file: SourceFile, text: string, { fields }: CsvRecord): void {
  const index = fields.findIndex((field) => /(^|[^\r])\n/.test(field));
  if (index < 0 || !text.includes("\r\n")) return;
  throw new PushforwardError("DATA", `${file.name} mixes line endings in its first line`, {
    expected: "the same line ending in every line",
    received: `\\n in the name of column ${index + 1}, and \\r\\n at the end of lines`,
    hint: "Remove the line break from the name.",
  });
}

/** The SQL that reads the files with all columns as unchanged text. */
export function csvRelation(
  files: readonly SourceFile[],
  { delimiter, skip, header, names }: CsvDialect,
): string {
  const paths = files.map(({ path }) => stringLiteral(exactPath(path))).join(", ");
  const columns = names.map((name) => `${stringLiteral(name)}: 'VARCHAR'`).join(", ");
  return `read_csv([${paths}], auto_detect = false, strict_mode = true, delim = ${stringLiteral(delimiter)}, \
quote = '"', escape = '"', comment = '', skip = ${skip}, header = ${header}, hive_partitioning = false, \
compression = '${files[0]!.gzip ? "gzip" : "none"}', columns = {${columns}})`;
}

/** The option of DuckDB's `read_csv` for a delimiter. */
export const delimiterOption = (delimiter: string): string =>
  `delim = ${stringLiteral(delimiter === "\t" ? "\\t" : delimiter)}`;

/**
 * Returns the delimiter with which the most records have as many fields as the first record, and no quote inside of an unquoted field. If
 * several delimiters are equally good, it returns the one that gives the most fields. The decimal separator is the delimiter only if no
 * other character separates fields.
 */
function detectDelimiter(text: string, decimal?: "." | ","): string {
  const candidates = [",", ";", "\t", "|"].map((delimiter) => {
    const records = firstRecords(text, delimiter, MAX_SAMPLED_RECORDS);
    const width = records[0]!.fields.length;
    const matching = records.filter(({ fields, strayQuote }) => fields.length === width && !strayQuote);
    return { delimiter, width, share: width > 1 ? matching.length / records.length : 0 };
  });
  const separating = candidates.filter(({ delimiter, share }) => delimiter !== decimal && share > 0);
  return (separating.length > 0 ? separating : candidates).reduce((best, other) =>
    other.share > best.share || (other.share === best.share && other.width > best.width) ? other : best,
  ).delimiter;
}

/** NaN and infinite numbers, as NumPy and R write them. They are no names if there are numbers beside them. */
const NOT_FINITE = /^[-+]?(nan|inf(inity)?)$/i;
const isNumberWithPoint = (text: string): boolean => Number.isFinite(Number(text));
const isNumberWithComma = (text: string): boolean =>
  isNumberWithPoint(text) || new RegExp(`^(${WITH_DECIMAL_COMMA})$`).test(text.trim());
const isInteger = (text: string): boolean => /^[-+]?\d+$/.test(text);

/**
 * Whether the first record `fields` has the names of the columns of `rows`. It has no names if all fields are values. But the numbers
 * 0, 1, 2... or 1, 2, 3... are names, as pandas writes them, if no value in the rows is an integer; undefined if some value is.
 */
function isHeader(
  fields: readonly string[],
  rows: readonly CsvRecord[],
  isValue: (field: string) => boolean,
): boolean | undefined {
  if (!fields.every(isValue)) return true;
  const numbers = fields[0] === "" ? fields.slice(1) : fields;
  const counted = numbers.every((field, i) => isInteger(field) && Number(field) === i + Number(numbers[0]));
  if (!counted || !/^[01]$/.test(numbers[0] ?? "") || rows.length === 0) return false;
  const values = rows.flatMap(({ fields: [first, ...rest] }) =>
    numbers === fields ? [first!, ...rest] : rest,
  );
  return numbers.length > 1 && !values.some((value) => isInteger(value.trim())) ? true : undefined;
}

function ambiguousHeader(file: SourceFile, fields: readonly string[], delimiter: string): PushforwardError {
  const query = (header: boolean) =>
    shellQuotedQuery(`FROM ${tableExpression([file.path], file.format, [`header = ${header}`])}`);
  return new PushforwardError(
    "DATA",
    `It is unclear whether the first line of ${file.name} is a row or the header`,
    {
      received: fields.slice(0, 5).join(delimiter) + (fields.length > 5 ? "..." : ""),
      hint:
        file.name === file.path
          ? `Add a first line with the names of the columns, or use a query: ${query(true)} if the line is the header, ${query(false)} if it is a row.`
          : "Add a first line with the names of the columns.",
    },
  );
}
