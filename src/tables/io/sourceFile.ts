import { isUtf8 } from "node:buffer";
import type { Stats } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { PushforwardError, shellQuoted } from "../../check/index.ts";
import { type FileVersion, isGzip, readError, readRange } from "../../files/index.ts";
import { checkText, textOf } from "./checkText.ts";
import { notUtf8Error } from "./databaseError.ts";
import { FORMATS, type FormatName, formatOf, formatOfContent } from "./format.ts";

/** A file that `inspectFile` has checked. */
export interface SourceFile {
  readonly path: string;
  /** The name in messages: the path, or the source of a temporary file. */
  readonly name: string;
  readonly format: FormatName;
  readonly gzip: boolean;
  /** The first decompressed bytes, more than the longest line that is allowed. */
  readonly head: Buffer;
  /** The version before the file was checked; undefined for a temporary copy. */
  readonly version?: FileVersion;
}

/** 2 MiB: the first line is complete, because it has at most 2,000,000 bytes (see `checkText`). */
const HEAD_BYTES = 1 << 21;

const SPREADSHEET = /\.(xlsx?|xlsm|xlsb|ods|numbers)$/i;

/**
 * Detects the format of a file, and checks that DuckDB can read it. A text file is read to its end, see `checkText`.
 *
 * @throws FILE if it is unreadable, damaged or not a table; DATA if it is empty or not UTF-8; INTERRUPTED.
 */
export async function inspectFile(
  path: string,
  { name = path, signal }: { name?: string; signal?: AbortSignal | undefined } = {},
): Promise<SourceFile> {
  const bytes = await readRange(path, HEAD_BYTES);
  if (SPREADSHEET.test(name)) {
    throw new PushforwardError("FILE", `${name} is a spreadsheet, which cannot be read`, {
      expected: `a file in one of the formats ${FORMATS}`,
      hint: "Save the sheet as CSV in the spreadsheet program, or convert the file: libreoffice --convert-to csv FILE",
    });
  }
  const gzip = isGzip(bytes);
  const named = name === path ? formatOf(path) : undefined;
  if (named?.gzip && !gzip && bytes.length > 0) {
    throw new PushforwardError("FILE", `${name} is not a gzip file, although its name ends with .gz`, {
      hint: "Compress it again, or remove .gz from its name.",
    });
  }
  const head = gzip ? await gunzipHead(path, name, signal) : bytes;
  const content = formatOfContent(head);
  const format = named?.name ?? content;
  if (format && content && (format === "parquet") === (content === "parquet")) {
    const file = { path, name, format, gzip, head };
    if (format === "parquet") return file;
    await checkText(file, signal);
    if (
      head
        .toString("latin1")
        .replace(/^\xEF\xBB\xBF/, "")
        .trim() === ""
    )
      throw empty(name);
    checkEncoding(file);
    return file;
  }
  if (head.length === 0) throw empty(name);
  const utf16 = /^(\xFF\xFE|\xFE\xFF)/.test(head.toString("latin1", 0, 2));
  const database = databaseOf(head);
  throw new PushforwardError("FILE", `${name} cannot be read as ${format ?? "a table"}`, {
    expected: named ? `the content of a ${format} file` : `a file in one of the formats ${FORMATS}`,
    received: utf16
      ? "UTF-16 text"
      : content === "parquet"
        ? "a Parquet file"
        : content
          ? "text"
          : database
            ? `a database of ${database}`
            : "binary data",
    hint: utf16
      ? `Convert it: iconv -f utf-16 -t utf-8 ${shellQuoted(name)} > utf8.csv`
      : database
        ? `Export one of its tables: ${exportCommand(database, name)}`
        : "Export the table again, to a file with the extension of its format.",
  });
}

/** The program whose database begins with these bytes. */
function databaseOf(head: Buffer): "DuckDB" | "SQLite" | undefined {
  if (head.toString("latin1", 8, 12) === "DUCK") return "DuckDB";
  return head.toString("latin1", 0, 15) === "SQLite format 3" ? "SQLite" : undefined;
}

const exportCommand = (database: "DuckDB" | "SQLite", name: string): string =>
  database === "DuckDB"
    ? `duckdb ${shellQuoted(name)} "COPY mytable TO 'mytable.parquet'"`
    : `sqlite3 -header -csv ${shellQuoted(name)} "SELECT * FROM mytable" > mytable.csv`;

const empty = (name: string): PushforwardError =>
  new PushforwardError("DATA", `${name} is empty`, { expected: "a table" });

/** Checks that the first lines are UTF-8. DuckDB checks the values itself, but not the names of columns. */
function checkEncoding({ head, name }: SourceFile): void {
  if (isUtf8(head)) return;
  for (let start = 0, line = 1; start < head.length; line++) {
    const newline = head.indexOf(0x0a, start);
    if (newline < 0 && head.length >= HEAD_BYTES) return;
    const end = newline < 0 ? head.length : newline;
    if (!isUtf8(head.subarray(start, end))) throw notUtf8Error(name, line);
    start = end + 1;
  }
}

/** @throws FILE if there is no file at `path`, or if it is a directory. */
export async function statSource(path: string): Promise<Stats> {
  let names: string[];
  try {
    const stats = await stat(path);
    if (!stats.isDirectory()) return stats;
    names = await readdir(path);
  } catch (error) {
    throw await readError(error, path);
  }
  const extension = names
    .sort()
    .find((name) => formatOf(name))
    ?.replace(/^.*?(\.\w+(\.gz)?)$/, "$1");
  const pattern = shellQuoted(`${path.replace(/\/+$/, "")}/*${extension}`);
  throw new PushforwardError("FILE", `${path} is a directory`, {
    expected: "a file",
    hint: extension ? `To read all its files as one table: ${pattern}` : "Give a file in it.",
  });
}

async function gunzipHead(path: string, name: string, signal?: AbortSignal): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of textOf({ path, name, gzip: true }, signal)) {
    chunks.push(chunk);
    length += chunk.length;
    if (length >= HEAD_BYTES) break;
  }
  return Buffer.concat(chunks);
}
