import { PushforwardError } from "../errors.ts";
import { literal } from "./database.ts";
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

/**
 * Reads the dialect off the first record.
 *
 * DuckDB could sniff it, but then drops lines that do not fit, gives up quotes, takes the table for a single column or
 * renames columns, all silently. Here the first record is the header unless it holds nothing but numbers, and whatever
 * does not fit it is an error with its line.
 *
 * @throws DATA when two columns have the same name.
 */
export function csvDialect(file: SourceFile): CsvDialect {
  const text = file.head.toString("utf8").replace(/^\uFEFF/, "");
  const delimiter = file.format === "tsv" ? "\t" : likelyDelimiter(text);
  const fields = firstRecord(text, delimiter).map((field) => field.trim());
  const header = !fields.every((field) => field === "" || Number.isFinite(Number(field)));
  const names = fields.map((field, index) => (header && field) || `column${index}`);

  const seen = new Map<string, number>();
  for (const [index, name] of names.entries()) {
    const first = seen.get(name.toLowerCase());
    if (first !== undefined) {
      const both = names[first] === name ? `"${name}"` : `"${names[first]}" and "${name}"`;
      throw new PushforwardError("DATA", `Two columns of ${file.path} have the same name`, {
        expected: "names that differ, and not in upper and lower case alone",
        received: `${both} in columns ${first + 1} and ${index + 1}`,
        mend: "Rename one of them in the first line of the file.",
      });
    }
    seen.set(name.toLowerCase(), index);
  }
  const skip = /^[\r\n]*/.exec(text)![0].replaceAll("\r\n", "\n").length;
  return { delimiter, skip, header, names };
}

/** The table as DuckDB reads it: every column as text, exactly as the file has it. */
export function csvRelation(
  { path, gzip }: SourceFile,
  { delimiter, skip, header, names }: CsvDialect,
): string {
  const columns = names.map((name) => `${literal(name)}: 'VARCHAR'`).join(", ");
  return `read_csv(${literal(path)}, auto_detect = false, strict_mode = true, delim = ${literal(delimiter)}, \
quote = '"', escape = '"', comment = '', skip = ${skip}, header = ${header}, \
compression = '${gzip ? "gzip" : "none"}', columns = {${columns}})`;
}

/** The delimiter that splits the first record into most fields. */
function likelyDelimiter(text: string): string {
  const counts = [",", ";", "\t", "|"].map((delimiter) => ({
    delimiter,
    fields: firstRecord(text, delimiter).length,
  }));
  return counts.reduce((best, other) => (other.fields > best.fields ? other : best)).delimiter;
}

/** The fields of the first record (RFC 4180: quotes may hold delimiters, line breaks and doubled quotes). */
export function firstRecord(text: string, delimiter: string): string[] {
  const fields: string[] = [];
  let field = "";
  let quoted = false;
  for (let i = Math.max(0, text.search(/[^\r\n]/)); i < text.length; i++) {
    const character = text[i]!;
    if (quoted) {
      if (character !== '"') field += character;
      else if (text[i + 1] === '"') field += text[i++];
      else quoted = false;
    } else if (character === '"' && field === "") quoted = true;
    else if (character === "\n" || character === "\r") break;
    else if (character === delimiter) {
      fields.push(field);
      field = "";
    } else field += character;
  }
  return [...fields, field];
}
