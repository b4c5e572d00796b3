import { PushforwardError } from "../errors.ts";
import { checkColumnNames } from "./columnNames.ts";
import { type CsvRecord, firstRecords } from "./csvRecords.ts";
import { stringLiteral } from "./database.ts";
import { exactPath } from "./locate.ts";
import { shellQuotedQuery, tableExpression } from "./query.ts";
import type { SourceFile } from "./sourceFile.ts";

/** How a delimited text file is to be read. */
export interface CsvDialect {
  readonly delimiter: string;
  /** How many empty lines come before the first record. */
  readonly skip: number;
  /** Whether the first record names the columns. */
  readonly header: boolean;
  readonly names: readonly string[];
}

/** The delimiter and the header are detected from this many records. */
const SNIFFED_RECORDS = 100;

/**
 * Reads the dialect off the first records.
 *
 * DuckDB could sniff it, but then drops lines that do not fit, gives up quotes, takes the table for a single column or
 * renames columns, all silently. Here the first record is the header unless it holds nothing but numbers, and whatever
 * does not fit it is an error with its line.
 *
 * @throws DATA when two columns have the same name, or a first record of numbers may be a header or a row.
 */
export function csvDialect(file: SourceFile): CsvDialect {
  const text = file.head.toString("utf8").replace(/^\uFEFF/, "");
  const delimiter = file.format === "tsv" ? "\t" : likelyDelimiter(text);
  const [first, ...others] = firstRecords(text, delimiter, SNIFFED_RECORDS);
  const fields = first!.fields.map((field) => field.trim());
  const header = isHeader(fields, others);
  if (header === undefined) throw unclearHeader(file, fields, delimiter);
  const names = fields.map((field, index) => (header && field) || `column${index}`);
  checkColumnNames(names, file.name, { hint: "Rename one of them in the first line of the file." });
  const skip = /^[\r\n]*/.exec(text)![0].replaceAll("\r\n", "\n").length;
  return { delimiter, skip, header, names };
}

/** The files as DuckDB reads them: every column as text, exactly as they have it. */
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

/**
 * The delimiter that splits most of the first records into as many fields as the first one, and into most fields. One that
 * leaves quotes inside of fields is none.
 */
function likelyDelimiter(text: string): string {
  const candidates = [",", ";", "\t", "|"].map((delimiter) => {
    const records = firstRecords(text, delimiter, SNIFFED_RECORDS);
    const width = records[0]!.fields.length;
    const fitting = records.filter(({ fields, strayQuote }) => fields.length === width && !strayQuote);
    return { delimiter, width, share: width > 1 ? fitting.length / records.length : 0 };
  });
  return candidates.reduce((best, other) =>
    other.share > best.share || (other.share === best.share && other.width > best.width) ? other : best,
  ).delimiter;
}

const isWhole = (text: string): boolean => /^[-+]?\d+$/.test(text);

/**
 * Whether the first record names the columns. Numbers do so if they are 0, 1, 2..., or 1, 2, 3..., and no value below is a
 * whole number; undefined where this is unclear.
 */
function isHeader(fields: readonly string[], others: readonly CsvRecord[]): boolean | undefined {
  if (!fields.every((field) => field === "" || Number.isFinite(Number(field)))) return true;
  const numbers = fields[0] === "" ? fields.slice(1) : fields;
  const counted = numbers.every((field, i) => isWhole(field) && Number(field) === i + Number(numbers[0]));
  if (!counted || !/^[01]$/.test(numbers[0] ?? "") || others.length === 0) return false;
  const values = others.flatMap(({ fields: [first, ...rest] }) =>
    numbers === fields ? [first!, ...rest] : rest,
  );
  return numbers.length > 1 && !values.some((value) => isWhole(value.trim())) ? true : undefined;
}

function unclearHeader(file: SourceFile, fields: readonly string[], delimiter: string): PushforwardError {
  const query = (header: boolean) =>
    shellQuotedQuery(`FROM ${tableExpression([file.path], file.format, [`header = ${header}`])}`);
  return new PushforwardError("DATA", `The first line of ${file.name} may be a row or name the columns`, {
    received: fields.slice(0, 5).join(delimiter) + (fields.length > 5 ? "..." : ""),
    hint:
      file.name === file.path
        ? `Name the columns there, or say which it is with a query: ${query(true)} if it names them, ${query(false)} if not.`
        : "Name the columns there.",
  });
}
