import { resolve } from "node:path";
import { PushforwardError } from "../errors.ts";
import { checkText } from "./checkText.ts";
import { listed } from "./columnList.ts";
import { checkColumnNames } from "./columnNames.ts";
import { isNumeric, textTypes, withoutMissing } from "./columnTypes.ts";
import { csvDialect, csvRelation } from "./csv.ts";
import { type Database, quotedIdentifier, stringLiteral } from "./database.ts";
import type { FileVersion } from "./fileVersion.ts";
import { type FormatName, formatOf } from "./format.ts";
import { jsonRelation } from "./json.ts";
import { locateFiles, STANDARD_INPUT } from "./locate.ts";
import { parquetRelation } from "./parquet.ts";
import type { SourceFile } from "./sourceFile.ts";

/** A column of a table: its name and its type. */
export interface Column {
  readonly name: string;
  /** The type in DuckDB's words: `BIGINT`, `DOUBLE`, `DECIMAL(10,2)`, `VARCHAR`... */
  readonly type: string;
}

/** What a table is read from, in SQL. */
export interface Relation {
  readonly sql: string;
  /** SQL that gives every column as text, exactly as the file has it (CSV and TSV). */
  readonly text?: string;
  /** What separates the fields of such a file. */
  readonly delimiter?: string;
  readonly columns: readonly Column[];
  readonly rows: number;
  /** The files, or patterns of files, that a query can name. */
  readonly file?: { readonly paths: readonly string[]; readonly format: FormatName };
  /** The files that `sql` reads, as they were before the first look. A query has none: its result is kept. */
  readonly versions?: readonly FileVersion[];
}

export async function filesRelation(
  database: Database,
  paths: readonly string[],
  na: readonly string[],
): Promise<Relation> {
  const files: SourceFile[] = [];
  for (const path of paths) files.push(...(await locateFiles(path, database)));
  const places = files.map(({ path }) => resolve(path));
  const twice = files.find((_, i) => places.indexOf(places[i]!) < i);
  if (twice) {
    throw new PushforwardError("ARGUMENT", `${twice.name} is given twice`, {
      hint: "Name each file once, also by patterns.",
    });
  }
  const versions = files.flatMap(({ version }) => version ?? []);
  const relation = await relationOf(database, files, na).finally(async () => {
    for (const version of versions) await version.check();
  });
  const named = files.every(({ name }) => name !== STANDARD_INPUT);
  return { ...relation, versions, ...(named && { file: { paths, format: files[0]!.format } }) };
}

async function relationOf(
  database: Database,
  files: readonly SourceFile[],
  na: readonly string[],
): Promise<Relation> {
  const { format } = files[0]!;
  for (const file of files) checkAlike(file, files[0]!);
  if (format === "csv" || format === "tsv") return csvTable(database, files, na);

  const read = format === "parquet" ? parquetRelation : jsonRelation;
  if (files.length > 1) {
    const named = [];
    for (const file of files) {
      const columns = await describe(database, await read(database, [file]));
      named.push({ file: file.name, names: columns.map(({ name }) => name).sort() });
    }
    for (const { file, names } of named) checkSameColumns(file, names, named[0]!.file, named[0]!.names);
  }
  const table = await typedTable(database, await read(database, files), na);
  if (format === "parquet" || table.rows > 0) return table;
  throw new PushforwardError("DATA", `${database.source} has no rows`, { expected: "one object a row" });
}

/** @throws DATA when two files cannot be read as one table. */
function checkAlike(file: SourceFile, first: SourceFile): void {
  if (file.format === first.format && file.gzip === first.gzip) return;
  const kind = ({ format, gzip }: SourceFile) => `${format}${gzip ? " with gzip" : ""}`;
  throw new PushforwardError("DATA", `${file.name} is of another format than ${first.name}`, {
    expected: kind(first),
    received: kind(file),
    hint: "Give files of one format.",
  });
}

/** @throws DATA when the columns of a file are others, or in another order, than those of the first one. */
function checkSameColumns(
  file: string,
  names: readonly string[],
  first: string,
  expected: readonly string[],
): void {
  if (names.join("\n") === expected.join("\n")) return;
  throw new PushforwardError("DATA", `${file} has other columns than ${first}`, {
    expected: listed(expected),
    received: listed(names),
    hint: "Give files with the same columns in the same order.",
  });
}

export async function queryRelation(
  database: Database,
  query: string,
  na: readonly string[],
): Promise<Relation> {
  await checkFilesOf(query, database);
  const names = await database.queryColumns(query);
  if (!names) {
    throw new PushforwardError("DATA", "The query does not give a table", {
      expected: "one statement that begins with SELECT, FROM or WITH and only reads",
    });
  }
  checkColumnNames(names, "the query", { hint: "Name one of them otherwise: SELECT ... AS other_name" });
  await database.expectColumns(names.length);
  await database.rows(`CREATE TABLE source AS (${query.replace(/;\s*$/, "")}\n)`);
  return typedTable(database, "source", na);
}

/** Text files that a query names are checked as others are: DuckDB itself drops lines that are too long, and crashes on deep JSON. */
async function checkFilesOf(query: string, database: Database): Promise<void> {
  for (const [, quoted] of query.matchAll(/'((?:[^']|'')*)'/g)) {
    const pattern = quoted!.replaceAll("''", "'");
    const format = formatOf(pattern);
    if (!format || format.name === "parquet") continue;
    const found = (await database.rows(`SELECT file FROM glob(${stringLiteral(pattern)})`)) as string[][];
    for (const [path] of found)
      await checkText({ path: path!, name: path!, format: format.name, gzip: format.gzip }, database.signal);
  }
}

async function describe(database: Database, sql: string): Promise<Column[]> {
  const rows = (await database.rows(`DESCRIBE FROM ${sql}`)) as string[][];
  return rows.map(([name, type]) => ({ name: name!, type: type! }));
}

async function typedTable(database: Database, sql: string, na: readonly string[]): Promise<Relation> {
  const columns = await describe(database, sql);
  await database.expectColumns(columns.length);
  const [[rows]] = (await database.rows(`SELECT count(*) FROM ${sql}`)) as [[string]];
  const table = { sql, columns, rows: Number(rows) };
  return na.length > 0 ? withMissingValues(database, table, na) : table;
}

/** The table with NULL in place of the texts of `na`. Columns of text that has only numbers besides these become numeric. */
async function withMissingValues(
  database: Database,
  table: Relation,
  na: readonly string[],
): Promise<Relation> {
  const isText = ({ type }: Column) => /^(VARCHAR|JSON|ENUM\(.*\))$/.test(type);
  const present = ({ name, type }: Column) => {
    const value = quotedIdentifier(name);
    const text = type === "JSON" ? `(${value} ->> '$')` : `CAST(${value} AS VARCHAR)`;
    return { value: withoutMissing(value, { text, na }), text: withoutMissing(text, { text, na }) };
  };
  const texts = table.columns.filter(isText);
  const { types } = await textTypes(
    database,
    texts.map((column) => present(column).text),
    table.sql,
  );
  const replaced = table.columns
    .filter((column) => isText(column) || isNumeric(column))
    .map((column) => {
      const { value, text } = present(column);
      const type = types[texts.indexOf(column)] ?? "VARCHAR";
      return {
        ...column,
        sql: type === "VARCHAR" ? value : `CAST(${text} AS ${type})`,
        type: type === "VARCHAR" ? column.type : type,
      };
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

/** Finds the types of the columns of text files from all of their rows. */
async function csvTable(
  database: Database,
  files: readonly SourceFile[],
  na: readonly string[],
): Promise<Relation> {
  const dialect = csvDialect(files[0]!);
  for (const file of files.slice(1)) {
    const own = csvDialect(file);
    checkSameColumns(file.name, own.names, files[0]!.name, dialect.names);
    if (JSON.stringify(own) === JSON.stringify(dialect)) continue;
    throw new PushforwardError("DATA", `${file.name} is written in another way than ${files[0]!.name}`, {
      expected: "the same delimiter, and the same first lines",
      hint: "Give files that were written in one way.",
    });
  }
  const { names } = dialect;
  await database.expectColumns(names.length);
  const text = csvRelation(files, dialect);
  const values = names.map(quotedIdentifier);
  const present = na.length > 0 ? values.map((c) => withoutMissing(c, { text: c, na })) : values;
  const { rows, types } = await textTypes(database, present, text);
  const columns = names.map((name, d) => ({ name, type: types[d]! }));
  const replaced = present.map((sql, d) => `${sql} AS ${values[d]}`).join(", ");
  const sql = na.length > 0 ? `(SELECT ${replaced} FROM ${text})` : text;
  return { sql, text, delimiter: dialect.delimiter, columns, rows };
}
