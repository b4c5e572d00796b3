import type { ColumnFindings, ColumnNote, ColumnValues } from "../columns/index.ts";
import { columnList } from "../data/columnList.ts";
import { nameInQuery, quotedQuery } from "../data/query.ts";
import type { Settings } from "./fitSettings.ts";

/** What hints are made from: the command, and the rows that the notes are about. */
export interface Noted {
  readonly settings: Pick<Settings, "columns" | "given">;
  /** SQL that reads the table. */
  readonly source: string;
  readonly learned: ColumnValues;
  readonly given: ColumnValues;
}

/** A list of more columns is replaced by a query, or cut off. */
const MAX_NAMES = 20;
/** A query has conditions or expressions for this many columns at most. */
const MAX_IN_QUERY = 8;

/** How to act on a note on the command line: options or queries that can be typed as they are. */
export function columnHint(note: ColumnNote, noted: Noted): string {
  switch (note.kind) {
    case "equalRows":
      return `If they are copies by mistake, remove them: ${quotedQuery(`SELECT DISTINCT ${distinctOf(noted)} FROM ${noted.source}`)}`;
    case "missingCodes":
      return missingHint(note.findings, noted);
    case "farValues":
      return `If these are mistakes, leave the rows out: ${where(note.findings.map(between), noted)}`;
    case "fewValues":
      return fewValuesHint(note.findings, noted);
    case "grid":
      return spreadHint(note.findings, noted);
    case "atoms":
      return atomsHint(note.findings, noted);
    case "dependence":
      return followingHint(note.findings, (one) => one.terms.map(({ column }) => column), noted);
    case "repeatedDifference":
      return followingHint(note.findings, ({ other }) => [other], noted);
  }
}

/** The columns of a query for distinct rows: those that are used, or all of the table if they are many. */
function distinctOf({ learned, settings }: Noted): string {
  const used = [...learned.columns, ...settings.given];
  return used.length > MAX_NAMES ? "*" : used.map(nameInQuery).join(", ");
}

const names = (findings: readonly { readonly column: string }[]) => findings.map(({ column }) => column);

function missingHint(
  findings: readonly ColumnFindings["missingCodes"][],
  { source, learned, given }: Noted,
): string {
  const values = new Set(findings.flatMap(({ codes }) => codes.map(({ value }) => value)));
  const isCode = (column: string, value: number) =>
    findings.some((one) => one.column === column && one.codes.some((code) => code.value === value));
  const elsewhere = [learned, given].some(({ columns, values: all }) =>
    Array.prototype.some.call(
      all,
      (value, i) => values.has(value) && !isCode(columns[i % columns.length]!, value),
    ),
  );
  if (!elsewhere) return `If they are, have them treated as missing: --na ${[...values].join(",")}`;
  // In other columns the same number is a value.
  const replaced = findings.map(
    ({ column, codes }) =>
      `${codes.reduce((sql, { value }) => `nullif(${sql}, ${inSqlNumber(value)})`, nameInQuery(column))} AS ${nameInQuery(column)}`,
  );
  return `If they are, have them treated as missing: ${replacing(replaced, source)}`;
}

function fewValuesHint(findings: readonly ColumnFindings["fewValues"][], noted: Noted): string {
  const { settings } = noted;
  const leave = leaveOut(names(findings), noted);
  if (leave) {
    const given = `--given ${columnList([...settings.given, ...names(findings)], MAX_NAMES)}`;
    const columns = settings.columns && `${keep(names(findings), noted.learned.columns)} `;
    const [it, category] =
      findings.length === 1 ? ["it", "it is a category"] : ["them", "they are categories"];
    return `Leave ${it} out: ${leave}; or, if ${category}, learn the other columns given ${it}: ${columns ?? ""}${given}`;
  }
  const spread = findings.flatMap(({ step, ...one }) => (step === undefined ? [] : [{ ...one, step }]));
  return spread.length === findings.length
    ? spreadHint(spread, noted)
    : "Choose columns with more different values.";
}

function spreadHint(
  findings: readonly Pick<ColumnFindings["grid"], "column" | "step">[],
  { source }: Noted,
): string {
  const spread = findings.map(({ column, step }) => {
    const name = nameInQuery(column);
    return `${name} + ${step === 1 ? "" : `${step} * `}(random() - 0.5) AS ${name}`;
  });
  return `Spread each value over its step: ${replacing(spread, source)}`;
}

function atomsHint(findings: readonly ColumnFindings["atoms"][], noted: Noted): string {
  const left = shareWithout(findings, noted.learned);
  const leave = leaveOut(names(findings), noted);
  const out = leave && `leave ${findings.length > 1 ? "the columns" : "the column"} out: ${leave}`;
  if (left < MIN_REMAINING_SHARE || findings.some(({ atoms }) => atoms.length > MAX_IN_QUERY)) {
    return out ? `${out[0]!.toUpperCase()}${out.slice(1)}` : "Choose other columns.";
  }
  const others = findings.map(({ column, atoms }) =>
    atoms.length === 1
      ? `${nameInQuery(column)} <> ${inSqlNumber(atoms[0]!)}`
      : `${nameInQuery(column)} NOT IN (${atoms.map(inSqlNumber).join(", ")})`,
  );
  const rest = `Learn the other ${Math.round(100 * left)}% of the rows by themselves: ${where(others, noted)}`;
  return out ? `${rest}; or ${out}` : rest;
}

function followingHint<F extends { readonly column: string }>(
  findings: readonly F[],
  others: (finding: F) => readonly string[],
  noted: Noted,
): string {
  const leave = leaveOut(names(findings), noted);
  if (leave) return `Leave out what follows from other columns: ${leave}`;
  const used = new Set(findings.flatMap(others));
  const given = noted.given.columns.filter((name) => used.has(name));
  return `Leave out of --given what they follow from: ${columnList(given, MAX_NAMES)}`;
}

/** Where a smaller share of the rows is left, learning these by themselves is no useful advice. */
const MIN_REMAINING_SHARE = 0.1;

/** The share of the rows that have none of the values. */
function shareWithout(
  findings: readonly ColumnFindings["atoms"][],
  { columns, rows, values }: ColumnValues,
): number {
  const atoms = columns.map((name) => new Set(findings.find(({ column }) => column === name)?.atoms));
  let left = 0;
  for (let row = 0; row < rows; row++) {
    if (atoms.every((own, d) => !own.has(values[row * columns.length + d]!))) left++;
  }
  return left / rows;
}

const between = ({ column, below, above }: ColumnFindings["farValues"]): string => {
  const name = nameInQuery(column);
  const ends = [
    ...(below === undefined ? [] : [`${name} > ${inSqlNumber(below)}`]),
    ...(above === undefined ? [] : [`${name} < ${inSqlNumber(above)}`]),
  ];
  return ends.join(" AND ");
};

const where = (conditions: readonly string[], { source }: Noted): string =>
  quotedQuery(`FROM ${source} WHERE ${conditions.slice(0, MAX_IN_QUERY).join(" AND ")}`) +
  unnamed(conditions.length);

const replacing = (columns: readonly string[], source: string): string =>
  quotedQuery(`SELECT * REPLACE (${columns.slice(0, MAX_IN_QUERY).join(", ")}) FROM ${source}`) +
  unnamed(columns.length);

const unnamed = (all: number): string =>
  all > MAX_IN_QUERY ? ` (and in the same way the other ${all - MAX_IN_QUERY})` : "";

/** What leaves columns out: a list of the others or, where that is longer, a query. None if no column is left. */
function leaveOut(left: readonly string[], { settings, source, learned }: Noted): string | undefined {
  const others = learned.columns.length - left.length;
  if (others === 0) return undefined;
  if (settings.columns || others <= MAX_NAMES || left.length > MAX_NAMES) return keep(left, learned.columns);
  return quotedQuery(`SELECT * EXCLUDE (${left.map(nameInQuery).join(", ")}) FROM ${source}`);
}

const keep = (left: readonly string[], columns: readonly string[]): string =>
  `--columns ${columnList(
    columns.filter((name) => !left.includes(name)),
    MAX_NAMES,
  )}`;

/** A number as SQL reads it back: DuckDB takes one without an exponent for a decimal fraction, and rounds it twice. */
const inSqlNumber = (value: number): string =>
  String(value).replace(/\D/g, "").length > 15 ? value.toExponential() : String(value);
