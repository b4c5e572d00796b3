import { anyValue, checkOptions, PushforwardError } from "../../check/index.ts";
import {
  type ColumnValues,
  columnOf,
  countValues,
  equalRows,
  filterValues,
  type RowValues,
} from "../../dataset/index.ts";
import type { ColumnFindings, ColumnNote } from "./columnFindings.ts";
import { findDependences } from "./dependence.ts";
import { findFarValues } from "./farValues.ts";
import { findMissingCodes } from "./missingCodes.ts";
import { messageAndHint } from "./noteText.ts";
import { findRepeatedDifferences } from "./repeatedDifferences.ts";
import { findRepetition } from "./repetition.ts";

/** From this fraction of the rows on, equal rows change the mean log-density of held-out rows noticeably. */
const MIN_COPIES = 0.01;
/** Whole numbers satisfy an equation in fewer rows by chance. */
const MIN_ROWS_IN_CELLS = 50;

/** Options of `columnNotes`. */
export interface ColumnNoteOptions {
  /** The columns that the learned columns are conditional on, in the same rows. Default none. */
  readonly given?: ColumnValues | undefined;
}

/**
 * Looks for properties of a table that make its log-densities misleading: equal rows, codes for missing values, values far from
 * all other values, repeated values, and columns that are functions of other columns. Returns a note for each kind found. Constant
 * columns have no note. In given columns it looks only for codes, for far values, and whether they determine other columns. Throws
 * `ARGUMENT` for an unknown option, and `SHAPE` for values that are not one for each row and column, or if `given` has other rows.
 */
export function columnNotes(learned: ColumnValues, options: ColumnNoteOptions = {}): ColumnNote[] {
  checkOptions("columnNotes", options, { given: anyValue });
  const { given } = options;
  checkShape("the first argument of columnNotes", learned, learned.rows);
  if (given) checkShape("the option given of columnNotes", given, learned.rows);
  const { rows, values } = learned;
  return notesOn(learned, { given, wholeRows: { rows, values, context: given?.values ?? [] } });
}

/** Columns of numbers, some of which have values in cells. */
interface NumericColumns extends ColumnNoteOptions {
  readonly numbers: ColumnValues;
  /** The columns whose values are in cells, which have probabilities instead of a density. */
  readonly inCells: ReadonlySet<string>;
}

/** What `notesOn` knows about the other columns of a table. */
interface TableNoteOptions extends ColumnNoteOptions {
  /** All columns, because rows are copies only if all their values are equal. */
  readonly wholeRows: RowValues;
  /** The columns in which equations are looked for besides those among the learned columns, in any rows. Default none. */
  readonly numeric?: NumericColumns | undefined;
}

/** Returns `columnNotes` for some columns of a table. Missing values, which are NaN, have no influence. */
export function notesOn(
  learned: ColumnValues,
  { given, wholeRows, numeric }: TableNoteOptions,
): ColumnNote[] {
  const found: { [K in keyof ColumnFindings]: ColumnFindings[K][] } = {
    equalRows: [],
    missingCodes: [],
    farValues: [],
    fewValues: [],
    grid: [],
    atoms: [],
    dependence: [],
    repeatedDifference: [],
  };
  const all = joinGiven(learned, given);
  const { names, columns, firstLearned } = all;
  /** 1 for rows without codes and far values. */
  const isUsable = new Uint8Array(learned.rows).fill(1);
  /** 1 for rows with a value that rarely occurs. Other rows are often equal by chance. */
  const isDistinctive = new Uint8Array(learned.rows);
  const repeating = new Set<string>();
  for (const [d, values] of columns.entries()) {
    const { codes, far, repetition, constant } = examineColumn(values, isUsable);
    const column = names[d];
    if (codes.length > 0) found.missingCodes.push({ column, codes });
    if (far) found.farValues.push({ column, ...far });
    if (repetition || constant) repeating.add(column);
    if (!constant && repetition?.kind !== "fewValues") {
      const frequent = new Set(repetition?.kind === "atoms" ? repetition.atoms : []);
      for (const [row, value] of values.entries())
        if (!Number.isNaN(value) && !frequent.has(value)) isDistinctive[row] = 1;
    }
    if (!repetition || d < firstLearned) continue;
    const { kind, ...rest } = repetition;
    (found[kind] as object[]).push({ column, ...rest });
  }

  // Equal values in a table of one column are already reported as repeated values.
  if (wholeRows.values.length + wholeRows.context.length > wholeRows.rows) {
    const { firstRows } = equalRows(wholeRows);
    const isCopy = (row: number) => firstRows[row] !== row && isUsable[row] && isDistinctive[row];
    const copies = firstRows.filter((_, row) => isCopy(row)).length;
    if (copies > 0 && copies >= MIN_COPIES * learned.rows) found.equalRows.push({ copies });
  }

  const complete = completeRows(all, isUsable);
  found.dependence.push(...namedDependences(complete).map((finding) => ({ ...finding, inCells: false })));
  if (numeric) found.dependence.push(...dependencesInCells(numeric));
  const dependent = new Set(found.dependence.map(({ column }) => column));
  const paired = [...complete.names.keys()].filter(
    (d) => !repeating.has(complete.names[d]) && !dependent.has(complete.names[d]),
  );
  const pairs = findRepeatedDifferences(
    paired.map((d) => complete.columns[d]),
    paired.filter((d) => d < complete.firstLearned).length,
  );
  const nameOf = (pairedColumn: number) => complete.names[paired[pairedColumn]];
  for (const { column, other, ...rest } of pairs)
    found.repeatedDifference.push({ column: nameOf(column), other: nameOf(other), ...rest });
  return (Object.keys(found) as (keyof ColumnFindings)[])
    .filter((kind) => found[kind].length > 0)
    .map((kind) => {
      const note = { kind, findings: found[kind] } as Pick<ColumnNote, "kind" | "findings">;
      return { ...note, ...messageAndHint(note, learned.rows) } as ColumnNote;
    });
}

/** Given and learned columns with their names. The learned ones begin at `firstLearned`. */
interface NamedColumns {
  readonly names: readonly string[];
  readonly columns: readonly Float64Array[];
  readonly firstLearned: number;
}

function joinGiven(learned: ColumnValues, given: ColumnValues | undefined): NamedColumns {
  const tables = given ? [given, learned] : [learned];
  return {
    names: tables.flatMap((table) => table.columns),
    columns: tables.flatMap((table) => table.columns.map((_, d) => columnOf(table, d))),
    firstLearned: given?.columns.length ?? 0,
  };
}

/** The columns that are functions of others, exactly or up to rounding, where at least one of them has values in cells. */
function dependencesInCells({ numbers, given, inCells }: NumericColumns): ColumnFindings["dependence"][] {
  const all = joinGiven(numbers, given);
  const isUsable = new Uint8Array(numbers.rows).fill(1);
  for (const values of all.columns) examineColumn(values, isUsable);
  const isInCells = ({ column }: { readonly column: string }) => inCells.has(column);
  const complete = completeRows(all, isUsable);
  if ((complete.columns[0]?.length ?? 0) < MIN_ROWS_IN_CELLS) return [];
  return namedDependences(complete)
    .filter((finding) => finding.precision !== "near" && [finding, ...finding.terms].some(isInCells))
    .map((finding) => ({ ...finding, inCells: true }));
}

/** `findDependences` with the names of the columns. */
const namedDependences = ({ names, columns, firstLearned }: NamedColumns) =>
  findDependences(columns, firstLearned).map(({ column, terms, ...rest }) => ({
    column: names[column],
    terms: terms.map((term) => ({ ...term, column: names[term.column] })),
    ...rest,
  }));

/**
 * The rows without missing values, and without codes and far values, which would make columns look dependent that have them in the same
 * rows. Columns with the most missing values are left out until at least half of the rows without codes and far values remain.
 */
function completeRows({ names, columns, firstLearned }: NamedColumns, isUsable: Uint8Array): NamedColumns {
  const usable = Int32Array.from(isUsable.keys()).filter((row) => isUsable[row] === 1);
  const gaps = columns.map((values) => usable.filter((row) => Number.isNaN(values[row])));
  const byGaps = [...columns.keys()].sort((a, b) => gaps[a].length - gaps[b].length);
  const incomplete = new Set<number>();
  const kept = new Set<number>();
  for (const d of byGaps) {
    const more = gaps[d].filter((row) => !incomplete.has(row));
    if (2 * (incomplete.size + more.length) > usable.length) continue;
    kept.add(d);
    for (const row of more) incomplete.add(row);
  }
  const rows = usable.filter((row) => !incomplete.has(row));
  const inOrder = [...columns.keys()].filter((d) => kept.has(d));
  return {
    names: inOrder.map((d) => names[d]),
    columns: inOrder.map((d) => Float64Array.from(rows, (row) => columns[d][row])),
    firstLearned: inOrder.filter((d) => d < firstLearned).length,
  };
}

/** Throws `SHAPE` unless a table has this number of rows, and a value for each row and column. */
function checkShape(what: string, { columns, rows, values }: ColumnValues, expectedRows: number): void {
  if (rows === expectedRows && values.length === rows * columns.length) return;
  throw new PushforwardError("SHAPE", `${what} does not have exactly one value for each row and column`, {
    expected: `${expectedRows} rows of ${columns.length} values`,
    received: `${rows} rows, and ${values.length} values`,
  });
}

/** Examines the present values of a column, and sets `isUsable` to 0 for its rows with codes and far values. */
function examineColumn(column: Float64Array, isUsable: Uint8Array) {
  const counted = countValues(column.filter((value) => !Number.isNaN(value)).sort());
  const codes = findMissingCodes(counted);
  const codeValues = new Set(codes.map(({ value }) => value));
  const withoutCodes =
    codes.length === 0 ? counted : filterValues(counted, (value) => !codeValues.has(value));
  const far = findFarValues(withoutCodes);
  if (codes.length > 0 || far) {
    const { below = Number.NEGATIVE_INFINITY, above = Number.POSITIVE_INFINITY } = far ?? {};
    for (const [row, value] of column.entries()) {
      if (codeValues.has(value) || value <= below || value >= above) isUsable[row] = 0;
    }
  }
  return { codes, far, repetition: findRepetition(withoutCodes), constant: withoutCodes.values.length < 2 };
}
