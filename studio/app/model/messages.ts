import type { TableRow } from "pushforward";

export type Value = TableRow[string];

/** A column of a model, as the page shows it. */
export interface ModelColumn {
  readonly name: string;
  readonly kind: "number" | "time" | "label";
  /** The values that a label can have. */
  readonly labels: readonly Value[];
  /** The values of a number, if they are equally spaced: first, first + step, ..., last. */
  readonly lattice: { readonly first: number; readonly step: number; readonly last: number } | undefined;
}

export interface OpenedModel {
  readonly columns: readonly ModelColumn[];
  readonly parameters: number;
  /** Whether columns can be given values: the other columns are then drawn from their exact conditional distribution. */
  readonly isConditional: boolean;
  /** Whether the model contains scores of held-out rows, from which p-values are computed. */
  readonly hasCalibration: boolean;
}

export interface OpenedTable {
  /** At most `MAX_ROWS` rows, evenly spaced in the table. */
  readonly rows: readonly TableRow[];
  /** The number of rows of the table. */
  readonly total: number;
}

export interface Anomaly {
  /** The index in the rows of the opened table, which may be only some of those of the file: see `rowNumber`. */
  readonly row: number;
  readonly pValue: number;
  /** The columns that make the row unusual, the most unusual first, with the values that the model expects there. */
  readonly reasons: readonly { readonly column: string; readonly value: Value; readonly expected: string }[];
}

export interface Anomalies {
  readonly rows: readonly Anomaly[];
  readonly calibrationRows: number;
  readonly isTrainingTable: boolean;
}

/** The requests that the worker of a model answers. */
export interface ModelRequests {
  /** Opens a model file, for all later requests. */
  model: { args: { bytes: Uint8Array }; result: OpenedModel };
  /**
   * Opens a table in CSV or Parquet with the columns of the model. If a file in CSV is a sample of evenly spaced rows, `total` is the number of
   * rows of its table.
   */
  table: { args: { file: Blob; total: number | undefined }; result: OpenedTable };
  sample: {
    args: { count: number; seed: number; given: Readonly<Record<string, Value>> };
    result: readonly TableRow[];
  };
  anomalies: { args: { count: number }; result: Anomalies };
}
