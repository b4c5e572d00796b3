import { invalidOption, PushforwardError } from "../../check/index.ts";
import type { RunOptions } from "../../flows/index.ts";
import type { Anomaly, AnomalySelection, AnomalySelectionOptions } from "../anomalies/index.ts";
import type { TableRow, TableValue } from "../columns/index.ts";

/** Options of `TableModel.score` for rows with the columns of `Row`. */
export interface TableScoreOptions<Row = TableRow> extends RunOptions {
  /** Score only these columns: log p(of | given). Default: all columns. */
  of?: readonly (keyof Row & string)[] | undefined;
  /** The columns that `of` is conditional on. Default none. */
  given?: readonly (keyof Row & string)[] | undefined;
}

/** Options of `TableModel.sample` for rows with the columns of `Row`. */
export interface TableSampleOptions<Row = TableRow> extends RunOptions {
  /** Row i depends only on the seed and i. Default 0. */
  seed?: number | undefined;
  /** Index of the first row. Default 0. */
  start?: number | undefined;
  /** Values of some columns: the others are drawn conditional on these. Default none. */
  given?: { readonly [K in keyof Row]?: TableValue } | undefined;
  /**
   * Whether values can be missing. If false, those that are drawn as missing are replaced as by `impute`, which needs a model with exact
   * conditional distributions (`TableModel.hasConditionals`). Default true.
   */
  gaps?: boolean | undefined;
}

/** Options of `TableModel.impute`. */
export interface TableImputeOptions extends RunOptions {
  /** Default 0. */
  seed?: number | undefined;
}

/** Options of draws in rows of features. */
export interface DrawOptions extends TableImputeOptions {
  /** Index of the first row. Default 0. */
  start?: number | undefined;
}

/** Options of `TableModel.anomalies`. */
export interface TableAnomaliesOptions extends RunOptions, AnomalySelectionOptions {}

/** The result of `TableModel.anomalies`. */
export interface TableAnomalies extends Omit<AnomalySelection, "selected"> {
  /** The most unusual rows, the most unusual one first. */
  readonly anomalies: readonly Anomaly[];
}

/** Throws `ARGUMENT` unless log p(of | given) is defined. */
export function checkConditional(of: readonly string[] | undefined, given: readonly string[]): void {
  if (of?.length === 0) throw invalidOption("score", "of", "at least one column", of);
  if (of === undefined && given.length > 0) {
    throw new PushforwardError("ARGUMENT", "the option given of score needs the option of", {
      hint: 'Name the columns to score: { of: ["price"], given: ["area"] }.',
    });
  }
  const names = [...(of ?? []), ...given];
  const repeated = names.find((name, i) => names.indexOf(name) < i);
  if (repeated !== undefined) {
    const inBoth = of?.includes(repeated) && given.includes(repeated);
    const where = inBoth ? "both in of and in given" : `twice in ${of?.includes(repeated) ? "of" : "given"}`;
    throw new PushforwardError("ARGUMENT", `the column "${repeated}" is ${where}`, {
      hint: "Name each column once.",
    });
  }
}
