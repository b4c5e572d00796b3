import { type ColumnValues, countValues } from "../../dataset/index.ts";
import { type TableColumn, typedText } from "../columns/index.ts";
import { type ColumnFindings, type ColumnNote, findMissingCodes } from "../notes/index.ts";
import { columnList } from "../options/index.ts";
import { quotedIfNeeded, shellQuotedQuery } from "./query.ts";

/** The table that the notes are about, and how its columns were chosen. */
interface NotedTable {
  /** SQL that reads the table. */
  readonly source: string;
  /** The columns that were chosen by name; undefined if all were learned. */
  readonly chosen: readonly string[] | undefined;
  readonly learned: ColumnValues;
  readonly given: ColumnValues;
  /** Names of all given columns, those of labels included. */
  readonly givenNames: readonly string[];
}

/** The part of `NotedTable` that is known before any value is read. */
export type HintSource = Pick<NotedTable, "source" | "chosen">;

/** A list of more columns would be hard to read: hints use a query instead, or end the list with "...". */
const MAX_NAMES = 20;
/** A query has at most this many conditions or expressions, so that it fits into a few lines. */
const MAX_QUERY_PARTS = 8;

/** The hint of a note: what a user can do about it, as an option of the command line or a query that runs unchanged. */
export function columnHint(note: ColumnNote, table: NotedTable): string {
  switch (note.kind) {
    case "equalRows":
      return `If they are copies by mistake, remove them: ${shellQuotedQuery(`SELECT DISTINCT ${usedColumns(table)} FROM ${table.source}`)}`;
    case "missingCodes":
      return missingCodesHint(note.findings, table);
    case "farValues":
      return `If these are mistakes, leave the rows out: ${rowsWhere(note.findings.map(notFar), table)}`;
    case "fewValues":
      return fewValuesHint(note.findings, table);
    case "grid":
      return noiseHint(note.findings, table);
    case "atoms":
      return atomsHint(note.findings, table);
    case "dependence":
      return dependenceHint(note.findings, (finding) => finding.terms.map(({ column }) => column), table);
    case "repeatedDifference":
      return dependenceHint(note.findings, ({ other }) => [other], table);
  }
}

/** A note on dates that look like codes for missing values, such as 9999-12-31. `values` are those of a column. */
export function dateCodesNote(
  columns: readonly { readonly column: TableColumn; readonly values: Float64Array }[],
  { source }: HintSource,
): ColumnNote[] {
  const findings = columns.flatMap(({ column, values }) => {
    const codes = findMissingCodes(countValues(values.filter((value) => !Number.isNaN(value)).sort()));
    const texts = codes.map(({ value, rows }) => ({ text: typedText(column.type, value), rows }));
    return codes.length > 0 ? [{ column: column.name, type: column.type, codes, texts }] : [];
  });
  if (findings.length === 0) return [];
  const list = findings.map(
    ({ column, texts }) =>
      `${column} (${texts.map(({ text, rows }) => `${text} in ${rows} rows`).join(", ")})`,
  );
  const replaced = findings.map(({ column, type, texts }) => {
    const name = quotedIfNeeded(column);
    const literal = (text: string) => `${type.toUpperCase()} '${text}'`;
    return `${texts.reduce((sql, { text }) => `nullif(${sql}, ${literal(text)})`, name)} AS ${name}`;
  });
  return [
    {
      kind: "missingCodes",
      findings: findings.map(({ column, codes }) => ({ column, codes })),
      message: `Some dates look like codes for missing values, and would be learned as dates: ${list.join(", ")}.`,
      hint: `If they are, read them as missing: ${replacing(replaced, source)}`,
    },
  ];
}

/** The list of columns that are learned or given, or `*` if they are many. */
function usedColumns({ learned, givenNames }: NotedTable): string {
  const used = [...learned.columns, ...givenNames];
  return used.length > MAX_NAMES ? "*" : used.map(quotedIfNeeded).join(", ");
}

const columnsOf = (findings: readonly { readonly column: string }[]) => findings.map(({ column }) => column);

function missingCodesHint(
  findings: readonly ColumnFindings["missingCodes"][],
  { source, learned, given }: NotedTable,
): string {
  const values = new Set(findings.flatMap(({ codes }) => codes.map(({ value }) => value)));
  const isCode = (column: string, value: number) =>
    findings.some((found) => found.column === column && found.codes.some((code) => code.value === value));
  const isValueElsewhere = [learned, given].some(({ columns, values: numbers }) =>
    Array.prototype.some.call(
      numbers,
      (value, i) => values.has(value) && !isCode(columns[i % columns.length]!, value),
    ),
  );
  if (!isValueElsewhere) return `If they are, read them as missing: --na ${[...values].join(",")}`;
  // --na applies to all columns, and in some columns these numbers are values, not codes.
  const replaced = findings.map(({ column, codes }) => {
    const name = quotedIfNeeded(column);
    return `${codes.reduce((sql, { value }) => `nullif(${sql}, ${sqlNumber(value)})`, name)} AS ${name}`;
  });
  return `If they are, read them as missing: ${replacing(replaced, source)}`;
}

function fewValuesHint(findings: readonly ColumnFindings["fewValues"][], table: NotedTable): string {
  const without = leaveOut(columnsOf(findings), table);
  if (without) {
    const given = `--given ${columnList([...table.givenNames, ...columnsOf(findings)], MAX_NAMES)}`;
    const columns = table.chosen ? `${keep(columnsOf(findings), table.learned.columns)} ` : "";
    const [it, isCategory] =
      findings.length === 1 ? ["it", "it is a category"] : ["them", "they are categories"];
    return `Leave ${it} out: ${without}; or, if ${isCategory}, learn the other columns given ${it}: ${columns}${given}`;
  }
  const onGrid = findings.flatMap(({ step, ...found }) => (step === undefined ? [] : [{ ...found, step }]));
  return onGrid.length === findings.length
    ? noiseHint(onGrid, table)
    : "Choose columns with more different values.";
}

function noiseHint(
  findings: readonly Pick<ColumnFindings["grid"], "column" | "step">[],
  { source }: NotedTable,
): string {
  const noisy = findings.map(({ column, step }) => {
    const name = quotedIfNeeded(column);
    return `${name} + ${step === 1 ? "" : `${step} * `}(random() - 0.5) AS ${name}`;
  });
  return `Add uniform noise as wide as the step: ${replacing(noisy, source)}`;
}

function atomsHint(findings: readonly ColumnFindings["atoms"][], table: NotedTable): string {
  const share = shareWithout(findings, table.learned);
  const without = leaveOut(columnsOf(findings), table);
  const leave = (verb: "Leave" | "leave") =>
    `${verb} the ${findings.length > 1 ? "columns" : "column"} out: ${without}`;
  if (share < MIN_REMAINING_SHARE || findings.some(({ atoms }) => atoms.length > MAX_QUERY_PARTS)) {
    return without ? leave("Leave") : "Choose other columns.";
  }
  const conditions = findings.map(({ column, atoms }) =>
    atoms.length === 1
      ? `${quotedIfNeeded(column)} <> ${sqlNumber(atoms[0]!)}`
      : `${quotedIfNeeded(column)} NOT IN (${atoms.map(sqlNumber).join(", ")})`,
  );
  const learnOthers = `Learn only the other ${Math.round(100 * share)}% of the rows: ${rowsWhere(conditions, table)}`;
  return without ? `${learnOthers}; or ${leave("leave")}` : learnOthers;
}

function dependenceHint<F extends { readonly column: string }>(
  findings: readonly F[],
  determinedBy: (finding: F) => readonly string[],
  table: NotedTable,
): string {
  const without = leaveOut(columnsOf(findings), table);
  if (without) return `Leave out the columns that follow from others: ${without}`;
  const determining = new Set(findings.flatMap(determinedBy));
  const given = table.given.columns.filter((name) => determining.has(name));
  return `Leave out of --given the columns that they follow from: ${columnList(given, MAX_NAMES)}`;
}

/** A hint suggests learning only the rows without atoms if they are at least this share of all rows. */
const MIN_REMAINING_SHARE = 0.1;

/** The share of the rows in which no column has one of its atoms. */
function shareWithout(
  findings: readonly ColumnFindings["atoms"][],
  { columns, rows, values }: ColumnValues,
): number {
  const atoms = columns.map((name) => new Set(findings.find(({ column }) => column === name)?.atoms));
  let remaining = 0;
  for (let row = 0; row < rows; row++) {
    if (atoms.every((ofColumn, d) => !ofColumn.has(values[row * columns.length + d]!))) remaining++;
  }
  return remaining / rows;
}

/** The SQL condition that a value is none of the far values of its column. */
const notFar = ({ column, below, above }: ColumnFindings["farValues"]): string => {
  const name = quotedIfNeeded(column);
  const bounds = [
    ...(below === undefined ? [] : [`${name} > ${sqlNumber(below)}`]),
    ...(above === undefined ? [] : [`${name} < ${sqlNumber(above)}`]),
  ];
  // A comparison with a missing value is not true, and a model may learn missing values.
  return `(${bounds.join(" AND ")} OR ${name} IS NULL)`;
};

const rowsWhere = (conditions: readonly string[], { source }: NotedTable): string =>
  shellQuotedQuery(`FROM ${source} WHERE ${conditions.slice(0, MAX_QUERY_PARTS).join(" AND ")}`) +
  andMoreColumns(conditions.length);

const replacing = (columns: readonly string[], source: string): string =>
  shellQuotedQuery(`SELECT * REPLACE (${columns.slice(0, MAX_QUERY_PARTS).join(", ")}) FROM ${source}`) +
  andMoreColumns(columns.length);

const andMoreColumns = (columns: number): string =>
  columns > MAX_QUERY_PARTS ? ` (and likewise for ${columns - MAX_QUERY_PARTS} more columns)` : "";

/**
 * An argument that leaves out the columns `omitted`: `--columns` with the remaining columns. If more than `MAX_NAMES` columns remain, but at most
 * `MAX_NAMES` are omitted and the user has not chosen columns by name, it is a query that excludes them. A longer list ends with "...", and the
 * user must complete it. Undefined if no column remains.
 */
function leaveOut(omitted: readonly string[], { chosen, source, learned }: NotedTable): string | undefined {
  const remaining = learned.columns.length - omitted.length;
  if (remaining === 0) return undefined;
  if (chosen || remaining <= MAX_NAMES || omitted.length > MAX_NAMES) return keep(omitted, learned.columns);
  return shellQuotedQuery(`SELECT * EXCLUDE (${omitted.map(quotedIfNeeded).join(", ")}) FROM ${source}`);
}

const keep = (omitted: readonly string[], columns: readonly string[]): string =>
  `--columns ${columnList(
    columns.filter((name) => !omitted.includes(name)),
    MAX_NAMES,
  )}`;

/**
 * A number as a literal that DuckDB reads exactly. Without an exponent, a number with many digits would be rounded twice: to a DECIMAL,
 * and then to a DOUBLE.
 */
const sqlNumber = (value: number): string =>
  String(value).replace(/\D/g, "").length > 15 ? value.toExponential() : String(value);
