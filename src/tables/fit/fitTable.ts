import {
  abortSignal,
  anyValue,
  callback,
  checkOptions,
  isPlainObject,
  numberFrom,
  type OptionRule,
  type OptionRules,
  PushforwardError,
  trueOrFalse,
} from "../../check/index.ts";
import { InMemoryDataset } from "../../dataset/index.ts";
import { fitSettingsSchema, type StopReason, settingsIn } from "../../train/index.ts";
import {
  type ColumnOptions,
  checkColumnOptions,
  distinctFeatureNames,
  encodeRows,
  inferRawColumn,
  isNumericText,
  labelCodes,
  type ReturnedRow,
  rawColumns,
  type TableColumn,
  type TableInput,
  type TableRow,
  type TableValue,
} from "../columns/index.ts";
import { TableModel } from "../model/index.ts";
import type { ColumnKind } from "../options/index.ts";
import type { FitMembersOptions, Member } from "./fitMembers.ts";
import { fitRows } from "./fitRows.ts";

/** Options of `fitTable`. */
export interface FitTableOptions extends Omit<FitMembersOptions, "embedding"> {
  /**
   * What is known about columns, by their names: a kind, such as `"integer"`, `"categorical"` or `"exclude"`, or options such as
   * `{ low: 0, high: 1 }`. Default: inferred from the values.
   */
  columns?: Readonly<Record<string, ColumnOptions | ColumnKind>> | undefined;
  /**
   * Fraction of the rows that training does not see. They calibrate the p-values of `TableModel.anomalies`. Default 0.1, or 0 for fewer
   * than 20 rows.
   */
  testFraction?: number | undefined;
  /**
   * Fraction of the other rows, in (0, 1), that decides when training ends and which weights the members have. In cross-validation it is at
   * least 0.2. Default 0.1.
   */
  validationFraction?: number | undefined;
  /**
   * The fraction of the rows that may be anomalies, above 0 and below 0.5. Two models are trained, each for at most half of `maxMinutes`:
   * the second one without this fraction of the training and validation rows, those with the highest anomaly scores under the first one.
   * Default: one model of all rows.
   */
  contamination?: number | undefined;
  /** Called for each column that is left out, with the reason. */
  onExcluded?: ((name: string, reason: string) => void) | undefined;
}

const namedRecipe: OptionRule = {
  expected: 'a recipe with a name, such as { name: "nsf", flow: nsf }',
  accepts: (value) =>
    isPlainObject(value) && typeof value.name === "string" && typeof value.flow === "function",
};

/** Most values are checked where they are used. */
const optionRules: OptionRules<FitTableOptions> = {
  columns: { expected: "an object with a kind or options for each name", accepts: isPlainObject },
  testFraction: anyValue,
  contamination: anyValue,
  onExcluded: callback,
  budget: anyValue,
  kernel: trueOrFalse,
  recipe: namedRecipe,
  epochs: anyValue,
  patience: anyValue,
  maxMinutes: numberFrom(0),
  validationFraction: anyValue,
  seed: anyValue,
  batchSize: anyValue,
  optimizer: anyValue,
  schedule: anyValue,
  clipNorm: anyValue,
  averageDecay: anyValue,
  objective: anyValue,
  threads: anyValue,
  providers: anyValue,
  communicator: anyValue,
  signal: abortSignal,
  checkpoints: callback,
  onMember: callback,
  onEpoch: callback,
  onProgress: callback,
  onRecovery: callback,
};

/** The result of `fitTable`. */
export interface FitTableResult<Row = TableRow> {
  readonly model: TableModel<Row>;
  /** The densities whose mixture the model is, with their weights. */
  readonly members: readonly Member[];
  /** Columns that are left out, and why. */
  readonly excluded: Readonly<Record<string, string>>;
  /** Mean log-density of the validation rows, in nats. */
  readonly validationLogDensity: number;
  /**
   * The indices of the validation rows, which decided when training ended and which weights the members have. Empty if the model has
   * learned them too, so that only the test rows are new to it.
   */
  readonly validationRows: readonly number[];
  /** The indices of the rows that training did not see. */
  readonly testRows: readonly number[];
  /** The indices of the training and validation rows that were left out because of `contamination`. */
  readonly trimmedRows: readonly number[];
  readonly stopped: StopReason;
}

/**
 * Fits a model to a table with columns of any kind: numbers, text, booleans and dates, with missing values. It infers the kind of each
 * column, trains several densities, and returns their mixture.
 *
 *     const { model } = await fitTable([{ age: 39, city: "Bern" }, { age: null, city: "Basel" }, ...]);
 *     await model.score(rows);
 *     await model.sample(5, { given: { city: "Bern" } });
 *
 * `table` is an array of objects, or an object with an array for each column. null, undefined, NaN and "" are missing values. Text in the
 * form of ISO 8601 is a date or a time. If all values of a column are `Date` objects, or all are
 * bigints, so are its values in the rows that the model returns.
 *
 * @throws DATA when a column has values of several types, or no column can be learned; ARGUMENT for an option that is not valid; and what
 *   `fit` throws.
 */
export function fitTable<Row extends { readonly [K in keyof Row]: TableValue }>(
  table: readonly Row[],
  options?: FitTableOptions,
): Promise<FitTableResult<ReturnedRow<Row>>>;
export function fitTable(table: TableInput, options?: FitTableOptions): Promise<FitTableResult>;
export async function fitTable(table: TableInput, options: FitTableOptions = {}): Promise<FitTableResult> {
  checkOptions("fitTable", options, optionRules);
  const { columns: stated = {}, onExcluded, ...others } = options;
  const { seed, validationFraction } = settingsIn(fitSettingsSchema, options, "fitTable");
  const kindOf = (options: ColumnOptions | ColumnKind | undefined) =>
    typeof options === "object" ? options?.kind : options;
  const raw = rawColumns(table, new Set(), (name) => kindOf(stated[name]) !== "exclude");
  const kinds = checkColumnOptions(
    stated,
    raw.map(({ name }) => name),
  );
  const columns: TableColumn[] = [];
  const values: Float64Array[] = [];
  const excluded: Record<string, string> = {};
  for (const each of raw) {
    const { raw: column, inferred } = inferRawColumn(each, kinds.get(each.name));
    if ("excluded" in inferred) {
      const reason = isNumericText(column)
        ? `${inferred.excluded}: the values look like numbers, so convert them with Number(...)`
        : inferred.excluded;
      excluded[column.name] = reason;
      onExcluded?.(column.name, reason);
      continue;
    }
    columns.push(inferred.column);
    values.push(labelCodes(inferred.column, column));
  }
  const names = distinctFeatureNames(columns);
  if (names.length === 0) {
    const reason = Object.keys(excluded).length > 0 ? "to learn" : "that varies";
    throw new PushforwardError("DATA", `the table has no column ${reason}`, {
      received: [
        ...columns.map(({ name }) => `${name}: constant`),
        ...Object.entries(excluded).map((each) => each.join(": ")),
      ].join("; "),
      hint: 'State the kind of a column to learn it anyway: { columns: { name: "categorical" } }.',
    });
  }
  const rows = new InMemoryDataset({
    features: names.length,
    columns: names,
    values: encodeRows(columns, values),
  });
  const { kept, trimmed, members, validated, validationLogDensity, stopped, contents } = await fitRows(
    { columns: names, table: columns, given: [], labels: new Map(), rows, constants: new Map() },
    { ...others, seed, validationFraction },
  );
  return {
    model: TableModel.from(contents),
    members: members!,
    excluded,
    validationLogDensity,
    validationRows: validated ? [] : Array.from(kept.validation.sample.rowNumbers),
    testRows: Array.from(kept.test?.rowNumbers ?? []),
    trimmedRows: trimmed,
    stopped,
  };
}
