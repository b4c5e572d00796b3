import { PushforwardError } from "../errors.ts";
import { type LoadedModel, modelLabels, type RunOptions, TableModel } from "../flows/index.ts";
import { describeColumn } from "../tables/describeColumn.ts";
import type { ValueType } from "../tables/tableColumn.ts";
import type { TableRow, TableValue } from "../tables/tableRows.ts";

/** A row of a request or of an answer. */
export type Row = Readonly<Record<string, TableValue>>;

/** A column of a served model. */
export interface ServedColumn {
  readonly name: string;
  readonly type: ValueType;
  readonly kind: string;
  readonly details: string;
}

/** What a server does with a model. */
export interface ServedModel {
  readonly columns: readonly ServedColumn[];
  /** The columns of the context, which are in the rows too. */
  readonly given: readonly ServedColumn[];
  /** log p of each row in nats. Throws `DATA` for rows that do not fit. */
  score(rows: readonly Row[]): Promise<Float64Array>;
  sample(rows: number, options: { seed: number; given: Row }): Promise<TableRow[]>;
  /** Undefined if the model has no conditional distributions of any columns. */
  readonly impute?: (rows: readonly Row[], options: { seed: number }) => Promise<TableRow[]>;
  release(): Promise<void>;
}

/** The model of a file, to be served by a number of threads. */
export function servedModel(model: LoadedModel, { threads }: { threads: number | undefined }): ServedModel {
  const run = threads === undefined ? {} : { threads };
  return model.table ? servedTable(TableModel.from(model), run) : servedFlow(model, run);
}

function servedTable(model: TableModel, run: RunOptions): ServedModel {
  const columns = model.columns.map((column): ServedColumn => {
    const { name, type } = column;
    return { name, type, ...describeColumn(column) };
  });
  return {
    columns,
    given: [],
    score: (rows) => model.score(rows, run),
    sample: (rows, { seed, given }) => model.sample(rows, { seed, given, ...run }),
    impute: (rows, { seed }) => model.impute(rows, { seed, ...run }),
    release: () => model.release(),
  };
}

function servedFlow(model: LoadedModel, run: RunOptions): ServedModel {
  const { flow, columns, given } = model;
  const labels = modelLabels(model);
  const column = (name: string): ServedColumn => {
    const classes = labels.get(name);
    return classes
      ? { name, type: "text", kind: "categorical", details: classes.join(", ") }
      : { name, type: "number", kind: "continuous", details: "" };
  };
  const numberOf = (row: Row, name: string): number => {
    const value = row[name];
    const classes = labels.get(name);
    const number = classes ? classes.indexOf(String(value)) : value;
    if (typeof number === "number" && Number.isFinite(number) && !(classes && number < 0)) return number;
    throw new PushforwardError("DATA", `a row has no valid value of "${name}"`, {
      expected: classes ? `one of ${classes.join(", ")}` : "a finite number",
      received: JSON.stringify(value),
    });
  };
  const rowsOf = (rows: readonly Row[], names: readonly string[]): number[][] =>
    rows.map((row) => names.map((name) => numberOf(row, name)));
  return {
    columns: columns.map(column),
    given: given.map(column),
    score: async (rows) =>
      flow.logProb(rowsOf(rows, columns), given.length > 0 ? rowsOf(rows, given) : undefined, run),
    async sample(rows, { seed, given: values }) {
      const unknown = Object.keys(values).find((name) => !given.includes(name));
      if (unknown !== undefined) {
        throw new PushforwardError("DATA", `the model cannot be conditional on "${unknown}"`, {
          expected: given.length > 0 ? given.join(", ") : "no given values",
        });
      }
      const context = given.length > 0 && { context: rowsOf([values], given) };
      return flow.sample(rows, { ...run, seed, as: "objects", ...context });
    },
    release: () => flow.release(),
  };
}
