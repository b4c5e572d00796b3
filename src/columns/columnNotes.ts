import { type ColumnValues, columnOf, countValues, filterValues } from "./columnValues.ts";
import { type Dependence, dependences } from "./dependence.ts";
import { equalRows } from "./equalRows.ts";
import { type FarValues, farValues } from "./farValues.ts";
import { type MissingCode, missingCodes } from "./missingCodes.ts";
import { messageAndHint } from "./noteText.ts";
import { repeatedDifferences } from "./repeatedDifferences.ts";
import { type Repetition, repetitionOf } from "./repetition.ts";

type Repeating<K extends Repetition["kind"]> = { readonly column: string } & Omit<
  Extract<Repetition, { kind: K }>,
  "kind"
>;

/** What a note of each kind says of a column, or of the rows. */
export interface ColumnFindings {
  /** How many rows equal another one before them. */
  equalRows: { readonly copies: number };
  /** Values that look like codes for missing. */
  missingCodes: { readonly column: string; readonly codes: readonly MissingCode[] };
  farValues: { readonly column: string } & FarValues;
  fewValues: Repeating<"fewValues">;
  grid: Repeating<"grid">;
  atoms: Repeating<"atoms">;
  /** A linear function of other columns. */
  dependence: { readonly column: string } & Pick<Dependence, "intercept" | "precision" | "residual"> & {
      readonly terms: readonly { readonly column: string; readonly coefficient: number }[];
    };
  /** A column that differs from another by values that repeat. */
  repeatedDifference: {
    readonly column: string;
    readonly other: string;
    readonly distinct: number;
    readonly modeShare: number;
  };
}

/** Something in the columns of a table that makes log-densities misleading. */
export type ColumnNote = {
  [K in keyof ColumnFindings]: {
    readonly kind: K;
    /** One a column, or a single one of the rows. */
    readonly findings: readonly ColumnFindings[K][];
    /** What there is, and what it does to the log-density. */
    readonly message: string;
    /** What to do about it. */
    readonly hint: string;
  };
}[keyof ColumnFindings];

/** From this share of the rows on, copies change what held-out rows tell. */
const MIN_COPIES = 0.01;

/** Columns to learn, and those that they are learned given, of the same rows. */
export interface NotedColumns extends ColumnValues {
  readonly given?: ColumnValues;
}

/**
 * Looks in a table for what makes its log-densities misleading: equal rows, codes for missing values, values far from all others,
 * values that repeat, and columns that others determine. Gives a note of each kind that there is; none is about constant
 * columns. Of the given columns it looks for codes and far values, and whether they determine others.
 */
export function columnNotes({ given, ...learned }: NotedColumns): ColumnNote[] {
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
  const names = [...(given?.columns ?? []), ...learned.columns];
  const first = names.length - learned.columns.length;
  const columns = [given, learned].flatMap((table) => table?.columns.map((_, d) => columnOf(table, d)) ?? []);
  const usable = new Uint8Array(learned.rows).fill(1);
  const repeating = new Set<number>();
  /** Rows with a value that does not repeat by itself: only of these is it a surprise that another row is equal. */
  const distinctive = new Uint8Array(learned.rows);
  for (const [d, values] of columns.entries()) {
    const { codes, far, repetition, constant } = lookAt(values, usable);
    const column = names[d];
    if (codes.length > 0) found.missingCodes.push({ column, codes });
    if (far) found.farValues.push({ column, ...far });
    if (repetition || constant) repeating.add(d);
    if (!constant && repetition?.kind !== "fewValues") {
      const frequent = new Set(repetition?.kind === "atoms" ? repetition.atoms : []);
      for (let row = 0; row < values.length; row++) if (!frequent.has(values[row])) distinctive[row] = 1;
    }
    if (!repetition) continue;
    const { kind, ...rest } = repetition;
    if (d >= first) (found[kind] as object[]).push({ column, ...rest });
  }

  // Equal values of a single column are told of above.
  const { first: firstEqual } = equalRows({ ...learned, context: given?.values ?? [] });
  const copies = firstEqual.filter((other, row) => other !== row && usable[row] && distinctive[row]).length;
  if (names.length > 1 && copies > 0 && copies >= MIN_COPIES * learned.rows) found.equalRows.push({ copies });

  // Codes and far values in the same rows of two columns would make these look dependent.
  const rows = Int32Array.from(usable.keys()).filter((row) => usable[row] === 1);
  const used = columns.map((values) => Float64Array.from(rows, (row) => values[row]));
  const dependent = new Set<number>();
  for (const { column, terms, ...rest } of dependences(used, first)) {
    dependent.add(column);
    const named = terms.map((term) => ({ ...term, column: names[term.column] }));
    found.dependence.push({ column: names[column], terms: named, ...rest });
  }
  const free = [...names.keys()].filter((d) => !repeating.has(d) && !dependent.has(d));
  const pairs = repeatedDifferences(
    free.map((d) => used[d]),
    free.filter((d) => d < first).length,
  );
  for (const { column, other, ...rest } of pairs) {
    found.repeatedDifference.push({ column: names[free[column]], other: names[free[other]], ...rest });
  }
  return (Object.keys(found) as (keyof ColumnFindings)[])
    .filter((kind) => found[kind].length > 0)
    .map((kind) => {
      const note = { kind, findings: found[kind] } as Pick<ColumnNote, "kind" | "findings">;
      return { ...note, ...messageAndHint(note, learned.rows) } as ColumnNote;
    });
}

/** Looks at one column, and marks its rows with codes and far values as not usable. */
function lookAt(values: Float64Array, usable: Uint8Array) {
  const all = countValues(values.slice().sort());
  const codes = missingCodes(all);
  const isCode = new Set(codes.map(({ value }) => value));
  const others = codes.length === 0 ? all : filterValues(all, (value) => !isCode.has(value));
  const far = farValues(others);
  if (codes.length > 0 || far) {
    const { below = -Infinity, above = Infinity } = far ?? {};
    for (let row = 0; row < values.length; row++) {
      const value = values[row];
      if (isCode.has(value) || value <= below || value >= above) usable[row] = 0;
    }
  }
  return { codes, far, repetition: repetitionOf(others), constant: others.values.length < 2 };
}
