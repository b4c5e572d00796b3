import { resolve } from "node:path";
import { PushforwardError } from "../../check/index.ts";
import type { FileVersion } from "../../files/index.ts";
import { quotedIdentifier, quotedNames } from "../options/index.ts";
import { checkText } from "./checkText.ts";
import { checkColumnNames } from "./columnNames.ts";
import {
  columnWithBothPoints,
  type DateOrder,
  isNumeric,
  missingToNull,
  numberOfText,
  textOf,
  textTypes,
  withDecimalPoint,
} from "./columnTypes.ts";
import { csvDialect, csvRelation, delimiterOption } from "./csv.ts";
import { type Database, stringLiteral } from "./database.ts";
import { type FileRows, withFileRows } from "./fileRows.ts";
import { type FormatName, formatOf } from "./format.ts";
import { jsonRelation } from "./json.ts";
import { locateFiles, STANDARD_INPUT } from "./locate.ts";
import { parquetRelation } from "./parquet.ts";
import { subquery } from "./query.ts";
import type { SourceFile } from "./sourceFile.ts";

/** A column of a table: its name and its type. */
export interface Column {
  readonly name: string;
  /** DuckDB's name of the type: `BIGINT`, `DOUBLE`, `DECIMAL(10,2)`, `DATE`, `VARCHAR`... In a text file, the type that all values represent. */
  readonly type: string;
  /**
   * Only for dates in a text file that do not begin with the year. "ambiguous" if it is unclear whether the day or the month is first; the
   * type is then VARCHAR.
   */
  readonly dateOrder?: DateOrder | "ambiguous";
  /** Only for times in a text file: some have a time zone. */
  readonly hasTimeZone?: true;
}

/** In the list of `missingToNull`, this matches every string of spaces, because strings are trimmed before they are compared. */
const BLANK = "";

/** A table in SQL. */
export interface Relation {
  readonly sql: string;
  /** Only for CSV and TSV: SQL with all columns as unchanged text. */
  readonly text?: string;
  /** Only for CSV and TSV: the delimiter. */
  readonly delimiter?: string;
  readonly columns: readonly Column[];
  readonly rows: number;
  /**
   * The paths or patterns with which a query can read the table, and the options of DuckDB's function that read its notation; undefined for
   * queries and standard input.
   */
  readonly file?: {
    readonly paths: readonly string[];
    readonly format: FormatName;
    readonly options: readonly string[];
  };
  /** Only for several files: how many rows each has. */
  readonly files?: readonly FileRows[];
  /** The versions of the files when they were opened. A query has none, because its result is stored. */
  readonly versions?: readonly FileVersion[];
}

/** How the values of a table are written. */
interface Notation {
  /** The values that are missing. */
  readonly na: readonly string[];
  readonly decimal: "." | ",";
  readonly delimiter: string | undefined;
}

export async function filesRelation(
  database: Database,
  paths: readonly string[],
  notation: Notation,
): Promise<Relation> {
  const files: SourceFile[] = [];
  for (const path of paths) files.push(...(await locateFiles(path, database)));
  const resolvedPaths = files.map(({ path }) => resolve(path));
  const duplicate = files.find((_, i) => resolvedPaths.indexOf(resolvedPaths[i]!) < i);
  if (duplicate) {
    throw new PushforwardError("ARGUMENT", `${duplicate.name} is listed twice`, {
      hint: "List each file once. A pattern lists all files that match it.",
    });
  }
  const versions = files.flatMap(({ version }) => version ?? []);
  const relation = await readRelation(database, files, notation).finally(async () => {
    for (const version of versions) await version.check();
  });
  const named = files.every(({ name }) => name !== STANDARD_INPUT);
  const file = { paths, format: files[0]!.format, options: readOptions(relation, notation) };
  return { ...relation, versions, ...(named && { file }) };
}

/** The options with which `read_csv` reads the notation of a CSV or TSV file. Other tables have none. */
function readOptions(
  { delimiter }: Relation,
  { na, decimal, delimiter: stated }: Notation,
): readonly string[] {
  if (delimiter === undefined) return [];
  return [
    ...(decimal === "," ? ["decimal_separator = ','"] : []),
    ...(decimal === "," || stated !== undefined ? [delimiterOption(delimiter)] : []),
    ...(na.length > 0 ? [`nullstr = [${["", ...na].map(stringLiteral).join(", ")}]`] : []),
  ];
}

async function readRelation(
  database: Database,
  files: readonly SourceFile[],
  notation: Notation,
): Promise<Relation> {
  const { format } = files[0]!;
  for (const file of files) checkSameFormat(file, files[0]!);
  if (format === "csv" || format === "tsv") {
    const table = await csvTable(database, files, notation);
    return withFileRows(database, table, table.text!, files);
  }
  checkNoNotation(notation, database.source);

  const read = format === "parquet" ? parquetRelation : jsonRelation;
  if (files.length > 1) {
    const parts: { name: string; sql: string; columns: Map<string, Column> }[] = [];
    for (const file of files) {
      const sql = await read(database, [file]);
      const columns = new Map((await describe(database, sql)).map((column) => [column.name, column]));
      parts.push({ name: file.name, sql, columns });
    }
    const namesOf = (part: number) => [...parts[part]!.columns.keys()].sort();
    for (const [i, { name }] of parts.entries())
      checkSameColumns(name, namesOf(i), parts[0]!.name, namesOf(0));
    const mixed = namesOf(0).filter(
      (name) => new Set(parts.map(({ columns }) => isNumeric(columns.get(name)!))).size > 1,
    );
    const filesWithTexts = parts.map(({ columns, ...part }) => ({
      ...part,
      texts: mixed.map((name) => presentText(columnText(columns.get(name)!), notation.na)),
    }));
    await checkNumbersInAllFiles(database, filesWithTexts, mixed);
  }
  const sql = await read(database, files);
  const table = await withFileRows(database, await typedTable(database, sql, notation.na), sql, files);
  if (format === "parquet" || table.rows > 0) return table;
  throw new PushforwardError("DATA", `${database.source} has no rows`, { expected: "one object per row" });
}

/** Throws `ARGUMENT` for options of CSV files, because the numbers of other tables have types. */
function checkNoNotation({ decimal, delimiter }: Notation, source: string): void {
  const name = delimiter !== undefined ? "delimiter" : decimal === "," ? "decimal" : undefined;
  if (name === undefined) return;
  throw new PushforwardError("ARGUMENT", `--${name} is an option for CSV files`, {
    received: source,
    hint: "Leave it out. In a query, use the options of read_csv: delim and decimal_separator.",
  });
}

/** @throws DATA if the files have different formats. */
function checkSameFormat(file: SourceFile, first: SourceFile): void {
  if (file.format === first.format && file.gzip === first.gzip) return;
  const kind = ({ format, gzip }: SourceFile) => `${format}${gzip ? " with gzip" : ""}`;
  throw new PushforwardError("DATA", `${file.name} has a different format from ${first.name}`, {
    expected: kind(first),
    received: kind(file),
    hint: "Give files of one format.",
  });
}

/**
 * Checks the names of the columns of each file. In formats other than CSV and TSV their order has no meaning, and the caller sorts them.
 *
 * @throws DATA if a file does not have the names of the first file in the same order.
 */
function checkSameColumns(
  file: string,
  names: readonly string[],
  first: string,
  expected: readonly string[],
): void {
  if (names.join("\n") === expected.join("\n")) return;
  throw new PushforwardError("DATA", `${file} has different columns from ${first}`, {
    expected: quotedNames(expected),
    received: quotedNames(names),
    hint: "Give files with the same columns. Those of CSV and TSV files must be in the same order.",
  });
}

/** One of the files of a table, the SQL that reads it, and the SQL of values of its columns as text, NULL if they are missing. */
interface FilePart {
  readonly name: string;
  readonly sql: string;
  readonly texts: readonly string[];
}

/** @throws DATA if one of the columns `names`, whose values are `texts`, has only numbers in one of the files, and none in another. */
async function checkNumbersInAllFiles(
  database: Database,
  files: readonly FilePart[],
  names: readonly string[],
): Promise<void> {
  if (names.length === 0) return;
  const ofFiles: unknown[][] = [];
  for (const { sql, texts } of files) {
    const counts = texts.map(
      (text) => `count(${text}), count(${numberOfText(text)}), first(${text}) FILTER (${text} IS NOT NULL)`,
    );
    ofFiles.push((await database.run(`SELECT ${counts.join(", ")} FROM ${sql}`))[0]!);
  }
  for (const [c, name] of names.entries()) {
    const cells = ofFiles.map((row) => row.slice(3 * c, 3 * c + 3));
    const numeric = cells.findIndex(([values, numbers]) => Number(values) > 0 && values === numbers);
    const text = cells.findIndex(([values, numbers]) => Number(values) > 0 && Number(numbers) === 0);
    if (numeric < 0 || text < 0) continue;
    throw new PushforwardError(
      "DATA",
      `Column "${name}" has numbers in ${files[numeric]!.name} and text in ${files[text]!.name}`,
      {
        received: [numeric, text].map((file) => `'${cells[file]![2]}'`).join(" and "),
        hint: "Correct one of the files, or rename or convert the column in a query.",
      },
    );
  }
}

export async function queryRelation(
  database: Database,
  query: string,
  notation: Notation,
): Promise<Relation> {
  checkNoNotation(notation, "the query");
  await checkQueryFiles(query, database);
  const names = await database.queryColumns(query);
  if (!names) {
    throw new PushforwardError("DATA", "The query does not return a table", {
      expected: "one statement that begins with SELECT, FROM or WITH, and only reads",
    });
  }
  checkColumnNames(names, "the query", { hint: "Rename one of them: SELECT ... AS other_name" });
  await database.prepareForColumns(names.length);
  await database.run(`CREATE TABLE source AS ${subquery(query)}`);
  return typedTable(database, "source", notation.na);
}

/** Applies `checkText` to the text files that a query names. */
async function checkQueryFiles(query: string, database: Database): Promise<void> {
  for (const [, quoted] of query.matchAll(/'((?:[^']|'')*)'/g)) {
    const pattern = quoted!.replaceAll("''", "'");
    const format = formatOf(pattern);
    // DuckDB reads a URL, and checkText only files of this machine.
    if (!format || format.name === "parquet" || /^\w+:\/\//.test(pattern)) continue;
    const matches = (await database.run(`SELECT file FROM glob(${stringLiteral(pattern)})`)) as string[][];
    for (const [path] of matches)
      await checkText({ path: path!, name: path!, format: format.name, gzip: format.gzip }, database.signal);
  }
}

async function describe(database: Database, sql: string): Promise<Column[]> {
  const rows = (await database.run(`DESCRIBE FROM ${sql}`)) as string[][];
  return rows.map(([name, type]) => ({ name: name!, type: type! }));
}

async function typedTable(database: Database, sql: string, na: readonly string[]): Promise<Relation> {
  const columns = await describe(database, sql);
  await database.prepareForColumns(columns.length);
  const [[rows]] = (await database.run(`SELECT count(*) FROM ${sql}`)) as [[string]];
  const table = { sql, columns, rows: Number(rows) };
  return na.length > 0 ? withMissingValues(database, table, na) : table;
}

/** The SQL of the values of a column as text. */
const columnText = ({ name, type }: Column): string => textOf(quotedIdentifier(name), type);

/** The SQL of a text, NULL if it is one of `words` or blank. */
const presentText = (text: string, words: readonly string[]): string =>
  missingToNull(text, { text, na: [...words, BLANK] });

/** Replaces the values `words`, and blank text, by NULL. Columns of text become numeric if all other values are numbers. */
async function withMissingValues(
  database: Database,
  table: Relation,
  words: readonly string[],
): Promise<Relation> {
  const isText = ({ type }: Column) => /^(VARCHAR|JSON|ENUM\(.*\))$/.test(type);
  const texts = await withReplacedText(database, table.columns.filter(isText), { from: table.sql, words });
  const { contents } = await textTypes(
    database,
    texts.map((column) => presentText(columnText(column), words)),
    table.sql,
  );
  const replaced = [...texts, ...table.columns.filter(isNumeric)].map((column) => {
    const type = contents[texts.indexOf(column)]?.type ?? "VARCHAR";
    const text = columnText(column);
    return isNumeric({ type })
      ? { ...column, sql: `CAST(${presentText(text, words)} AS ${type})`, type }
      : { ...column, sql: missingToNull(quotedIdentifier(column.name), { text, na: [...words, BLANK] }) };
  });
  if (replaced.length === 0) return table;
  const sql = replaced.map(({ name, sql }) => `${sql} AS ${quotedIdentifier(name)}`).join(", ");
  return {
    ...table,
    sql: `(SELECT * REPLACE (${sql}) FROM ${table.sql})`,
    columns: table.columns.map(({ name, type }) => ({
      name,
      type: replaced.find((r) => r.name === name)?.type ?? type,
    })),
  };
}

/** The columns of text in which `words` or blank text occur. The others keep their values: numbers as text may be codes. */
async function withReplacedText(
  database: Database,
  columns: readonly Column[],
  { from, words }: { readonly from: string; readonly words: readonly string[] },
): Promise<Column[]> {
  if (columns.length === 0) return [];
  const texts = columns.map(columnText);
  const present = texts.map((text) => presentText(text, words));
  const counted = await database.run(
    `SELECT count(text) > count(present) FROM (
      SELECT unnest([${texts.join(", ")}]) AS text, unnest([${present.join(", ")}]) AS present,
        unnest(range(${columns.length})) AS d FROM ${from})
    GROUP BY d ORDER BY d`,
  );
  return columns.filter((_, d) => counted[d]?.[0]);
}

/** Throws `DATA` for a column whose points cannot all separate thousands. */
async function checkPoints(database: Database, names: readonly string[], text: string): Promise<void> {
  const found = await columnWithBothPoints(database, names.map(quotedIdentifier), text);
  if (!found) return;
  const name = names[found.index]!;
  throw new PushforwardError(
    "DATA",
    `The column "${name}" of ${database.source} has numbers with decimal points`,
    {
      expected: "decimal commas, and points only between thousands",
      received: `${found.decimal}, and also ${found.thousands}, which would be read without its point`,
      hint: 'Leave out --decimal ",", or write all columns with the same decimal separator.',
    },
  );
}

/** The relation of CSV or TSV files. The type of a column is that which all its texts represent. */
async function csvTable(
  database: Database,
  files: readonly SourceFile[],
  { na, decimal, delimiter }: Notation,
): Promise<Relation> {
  const dialect = csvDialect(files[0]!, { decimal, delimiter, na });
  for (const file of files.slice(1)) {
    const other = csvDialect(file, { decimal, delimiter, na });
    checkSameColumns(file.name, other.names, files[0]!.name, dialect.names);
    if (JSON.stringify(other) === JSON.stringify(dialect)) continue;
    throw new PushforwardError("DATA", `${file.name} has a different CSV dialect from ${files[0]!.name}`, {
      expected: "the same delimiter, header and number of lines before the header",
      hint: "Write all files in the same way.",
    });
  }
  const { names } = dialect;
  await database.prepareForColumns(names.length);
  const text = csvRelation(files, dialect);
  const identifiers = names.map(quotedIdentifier);
  const values = decimal === "," ? identifiers.map(withDecimalPoint) : identifiers;
  const presentIn = (texts: readonly string[]) =>
    na.length > 0 ? texts.map((c) => missingToNull(c, { text: c, na })) : texts;
  const { rows, contents } = await textTypes(database, presentIn(values), text);
  const isText = contents.map(
    ({ type, areMostlyNumbers = false }) => type === "VARCHAR" && !areMostlyNumbers,
  );
  if (decimal === ",")
    await checkPoints(
      database,
      names.filter((_, d) => !isText[d]),
      text,
    );
  const columns = names.map((name, d) => {
    const { hasNumbers: _, areMostlyNumbers: __, hasBlanks: ___, ...content } = contents[d]!;
    return { name, ...content };
  });
  // Text keeps its points and commas, such as those of the codes 1.234 and A-1.
  const present = presentIn(values.map((value, d) => (isText[d] ? identifiers[d]! : value)));
  if (files.length > 1) {
    const hasNumbers = (_: string, d: number) => contents[d]!.hasNumbers;
    const texts = values.filter(hasNumbers).map((value) => presentText(value, na));
    const parts = files.map((file) => ({ name: file.name, sql: csvRelation([file], dialect), texts }));
    await checkNumbersInAllFiles(database, parts, names.filter(hasNumbers));
  }
  const isReplaced = na.length > 0 || decimal === "," || contents.some(({ hasBlanks }) => hasBlanks);
  const replaced = present.map((value, d) => {
    const sql = contents[d]!.hasBlanks ? missingToNull(value, { text: value, na: [BLANK] }) : value;
    return `${sql} AS ${identifiers[d]}`;
  });
  const sql = isReplaced ? `(SELECT ${replaced.join(", ")} FROM ${text})` : text;
  return { sql, text, delimiter: dialect.delimiter, columns, rows };
}
