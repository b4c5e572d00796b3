import type { Dependence } from "./dependence.ts";
import type { FarValues } from "./farValues.ts";
import type { MissingCode } from "./missingCodes.ts";
import type { Repetition } from "./repetition.ts";

/** A column with repeated values of one kind. */
type RepeatedValues<K extends Repetition["kind"]> = { readonly column: string } & Omit<
  Extract<Repetition, { kind: K }>,
  "kind"
>;

/** For each kind of note the type of its findings, each about a column, a pair of columns, or all rows. */
export interface ColumnFindings {
  /** How many rows are equal to an earlier row. */
  equalRows: { readonly copies: number };
  /** Values that look like codes for missing values. */
  missingCodes: { readonly column: string; readonly codes: readonly MissingCode[] };
  farValues: { readonly column: string } & FarValues;
  fewValues: RepeatedValues<"fewValues">;
  grid: RepeatedValues<"grid">;
  atoms: RepeatedValues<"atoms">;
  /** A column that is a linear function of other columns. */
  dependence: { readonly column: string } & Pick<Dependence, "intercept" | "precision" | "residual"> & {
      readonly terms: readonly { readonly column: string; readonly coefficient: number }[];
      /** Whether it or one of the other columns has values in cells. Cells have probabilities, so the equation makes no density unbounded. */
      readonly inCells: boolean;
    };
  /** Two columns whose difference has repeated values. */
  repeatedDifference: {
    readonly column: string;
    readonly other: string;
    /** How many different values the difference has. */
    readonly distinct: number;
    /** The fraction of the rows that have the most frequent difference. */
    readonly modeShare: number;
  };
}

/** A property of the columns of a table that makes log-densities misleading. */
export type ColumnNote = {
  [K in keyof ColumnFindings]: {
    readonly kind: K;
    readonly findings: readonly ColumnFindings[K][];
    /** What was found, and its effect on log-densities. */
    readonly message: string;
    /** What to do about it. */
    readonly hint: string;
  };
}[keyof ColumnFindings];
