import { PushforwardError } from "../errors.ts";
import { anyValue, checkOptions } from "../options.ts";
import type { ColumnFindings, ColumnNote } from "./columnFindings.ts";
import { type ColumnValues, columnOf, countValues, filterValues } from "./columnValues.ts";
import { findDependences } from "./dependence.ts";
import { equalRows, type RowValues } from "./equalRows.ts";
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
export interface NumericColumns extends ColumnNoteOptions {
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

/** Returns `columnNotes` for some columns of a table. */
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
  const { names, columns, firstLearned } = joinGiven(learned, given);
  /** 1 for rows without codes and far values. */
  const isUsable = new Uint8Array(learned.rows).fill(1);
  /** 1 for rows with a value that rarely occurs. Other rows are often equal by chance. */
  const isDistinctive = new Uint8Array(learned.rows);
  const repeating = new Set<number>();
  for (const [d, values] of columns.entries()) {
    const { codes, far, repetition, constant } = examineColumn(values, isUsable);
    const column = names[d];
    if (codes.length > 0) found.missingCodes.push({ column, codes });
    if (far) found.farValues.push({ column, ...far });
    if (repetition || constant) repeating.add(d);
    if (!constant && repetition?.kind !== "fewValues") {
      const frequent = new Set(repetition?.kind === "atoms" ? repetition.atoms : []);
      for (let row = 0; row < values.length; row++) if (!frequent.has(values[row])) isDistinctive[row] = 1;
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

  const usable = selectRows(columns, isUsable);
  found.dependence.push(
    ...namedDependences(usable, names, firstLearned).map((finding) => ({ ...finding, inCells: false })),
  );
  if (numeric) found.dependence.push(...dependencesInCells(numeric));
  const dependent = new Set(found.dependence.map(({ column }) => column));
  const paired = [...names.keys()].filter((d) => !repeating.has(d) && !dependent.has(names[d]));
  const pairs = findRepeatedDifferences(
    paired.map((d) => usable[d]),
    paired.filter((d) => d < firstLearned).length,
  );
  for (const { column, other, ...rest } of pairs) {
    found.repeatedDifference.push({ column: names[paired[column]], other: names[paired[other]], ...rest });
  }
  return (Object.keys(found) as (keyof ColumnFindings)[])
    .filter((kind) => found[kind].length > 0)
    .map((kind) => {
      const note = { kind, findings: found[kind] } as Pick<ColumnNote, "kind" | "findings">;
      return { ...note, ...messageAndHint(note, learned.rows) } as ColumnNote;
    });
}

/** The names and the values of given and learned columns, of which the learned ones begin at `firstLearned`. */
function joinGiven(learned: ColumnValues, given: ColumnValues | undefined) {
  const tables = given ? [given, learned] : [learned];
  return {
    names: tables.flatMap((table) => table.columns),
    columns: tables.flatMap((table) => table.columns.map((_, d) => columnOf(table, d))),
    firstLearned: given?.columns.length ?? 0,
  };
}

/** The columns that are functions of others, exactly or up to rounding, where at least one of them has values in cells. */
function dependencesInCells({ numbers, given, inCells }: NumericColumns): ColumnFindings["dependence"][] {
  const { names, columns, firstLearned } = joinGiven(numbers, given);
  const isUsable = new Uint8Array(numbers.rows).fill(1);
  for (const values of columns) examineColumn(values, isUsable);
  const isInCells = ({ column }: { readonly column: string }) => inCells.has(column);
  const usable = selectRows(columns, isUsable);
  if (usable[0].length < MIN_ROWS_IN_CELLS) return [];
  return namedDependences(usable, names, firstLearned)
    .filter((finding) => finding.precision !== "near" && [finding, ...finding.terms].some(isInCells))
    .map((finding) => ({ ...finding, inCells: true }));
}

/** `findDependences` with the names of the columns. */
const namedDependences = (columns: readonly Float64Array[], names: readonly string[], first: number) =>
  findDependences(columns, first).map(({ column, terms, ...rest }) => ({
    column: names[column],
    terms: terms.map((term) => ({ ...term, column: names[term.column] })),
    ...rest,
  }));

/** The rows without codes and far values, which would make columns look dependent that have them in the same rows. */
function selectRows(columns: readonly Float64Array[], isUsable: Uint8Array): Float64Array[] {
  const rows = Int32Array.from(isUsable.keys()).filter((row) => isUsable[row] === 1);
  return columns.map((values) => Float64Array.from(rows, (row) => values[row]));
}

/** Throws `SHAPE` unless a table has this number of rows, and a value for each row and column. */
function checkShape(what: string, { columns, rows, values }: ColumnValues, expectedRows: number): void {
  if (rows === expectedRows && values.length === rows * columns.length) return;
  throw new PushforwardError("SHAPE", `${what} has not one value for each row and column`, {
    expected: `${expectedRows} rows of ${columns.length} values`,
    received: `${rows} rows, and ${values.length} values`,
  });
}

/** Examines one column, and sets `isUsable` to 0 for its rows with codes and far values. */
function examineColumn(column: Float64Array, isUsable: Uint8Array) {
  const counted = countValues(column.slice().sort());
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
