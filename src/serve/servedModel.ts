import { brief, PushforwardError } from "../check/index.ts";
import type { RunOptions } from "../flows/index.ts";
import { type ColumnLabels, modelLabels } from "../model/index.ts";
import type { AnomalySelectionOptions } from "../tables/anomalies/index.ts";
import {
  decodeTable,
  describeColumn,
  type TableColumn,
  type TableRow,
  type TableValue,
  type ValueType,
  withJsonValues,
} from "../tables/columns/index.ts";
import { inBothPrecisions, tableLogDensities } from "../tables/evaluate/index.ts";
import { MAX_FLOAT32 } from "../tables/io/index.ts";
import { type LoadedModel, type TableAnomalies, TableModel } from "../tables/model/index.ts";

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
  /** log p of each row in nats. Throws `DATA` for rows that the model cannot read. */
  score(rows: readonly Row[]): Promise<Float64Array>;
  /** New rows, conditional on the values in `given`. Throws `DATA` for values that the model cannot be conditional on. */
  sample(rows: number, options: { seed: number; given: Row }): Promise<TableRow[]>;
  /** Draws the missing values of rows. Undefined if the model has no exact conditional distributions. */
  readonly impute?: (rows: readonly Row[], options: { seed: number }) => Promise<TableRow[]>;
  /** The most unusual rows, with the p-values of all. Undefined if the model has no scores of test rows, from which p-values follow. */
  readonly anomalies?: (rows: readonly Row[], options: AnomalySelectionOptions) => Promise<TableAnomalies>;
  release(): Promise<void>;
}

/** The names of the operations that a model has, which are the last parts of their paths. */
export const operationsOf = ({ impute, anomalies }: ServedModel): string[] => [
  "score",
  "sample",
  ...(impute ? ["impute"] : []),
  ...(anomalies ? ["anomalies"] : []),
];

/** The model of a file as a server needs it. */
export function servedModel(model: LoadedModel, run: RunOptions = {}): ServedModel {
  if (!model.table) return servedFlow(model, run);
  const columns = withJsonValues(model.table);
  if (model.given.length === 0) return servedTable(TableModel.from({ ...model, table: columns }), run);
  return servedConditionalTable({ ...model, table: columns }, run);
}

const tableColumns = (columns: readonly TableColumn[]): ServedColumn[] =>
  columns.map((column) => ({ name: column.name, type: column.type, ...describeColumn(column) }));

function servedTable(model: TableModel, run: RunOptions): ServedModel {
  return {
    columns: tableColumns(model.columns),
    given: [],
    score: (rows) => tableLogDensities(model, rows, { run }),
    sample: (rows, { seed, given }) => model.sample(rows, { seed, given, ...run }),
    ...(model.hasConditionals && {
      impute: (rows: readonly Row[], { seed }: { seed: number }) => model.impute(rows, { seed, ...run }),
    }),
    ...(model.hasConditionals &&
      model.reference?.calibration.length && {
        anomalies: (rows: readonly Row[], options: AnomalySelectionOptions) =>
          model.anomalies(rows, { ...options, ...run }),
      }),
    release: () => model.release(),
  };
}

/** The model of a table whose columns are conditional on a context of numbers and labels. */
function servedConditionalTable(
  model: LoadedModel & { readonly table: readonly TableColumn[] },
  run: RunOptions,
): ServedModel {
  const { flow, table } = model;
  const reader = new NumberReader(model);
  return {
    columns: tableColumns(table),
    given: model.given.map((name) => reader.column(name)),
    async score(rows) {
      return tableLogDensities({ flow, columns: table }, rows, {
        context: reader.rows(rows, model.given),
        run,
      });
    },
    async sample(rows, { seed, given }) {
      return decodeTable(table, await flow.sample(rows, { ...run, seed, context: reader.context(given) }));
    },
    release: () => flow.release(),
  };
}

function servedFlow(model: LoadedModel, run: RunOptions): ServedModel {
  const { flow, columns, given } = model;
  const reader = new NumberReader(model);
  return {
    columns: columns.map((name) => reader.column(name)),
    given: given.map((name) => reader.column(name)),
    async score(rows) {
      const x = reader.rows(rows, columns);
      const context = given.length > 0 ? reader.rows(rows, given) : undefined;
      return inBothPrecisions(run, (options) => flow.logProb(x, context, options));
    },
    async sample(rows, { seed, given: values }) {
      const context = reader.context(values);
      return flow.sample(rows, { ...run, seed, as: "objects", ...(given.length > 0 && { context }) });
    },
    release: () => flow.release(),
  };
}

/** Reads the columns of rows that a model takes as numbers: those of a flow, and those of a context, which may be class labels. */
class NumberReader {
  private readonly given: readonly string[];
  private readonly labels: ColumnLabels;

  constructor(model: LoadedModel) {
    this.given = model.given;
    this.labels = modelLabels(model);
  }

  column(name: string): ServedColumn {
    const classes = this.labels.get(name);
    return classes
      ? { name, type: "text", kind: "categorical", details: classes.join(", ") }
      : { name, type: "number", kind: "continuous", details: "" };
  }

  /** The numbers of these columns. Throws `DATA` if a row has no valid value of one of them. */
  rows(rows: readonly Row[], names: readonly string[], largest = Number.MAX_VALUE): number[][] {
    return rows.map((row) => names.map((name) => this.number(row, name, largest)));
  }

  /** The context of new rows. Throws `DATA` for columns that are not in the context, and for missing values. */
  context(values: Row): number[][] {
    const { given } = this;
    const unknown = Object.keys(values).find((name) => !given.includes(name));
    if (unknown !== undefined) {
      throw new PushforwardError("DATA", `the model cannot be conditional on "${unknown}"`, {
        expected: given.length > 0 ? given.join(", ") : "no given values",
      });
    }
    return this.rows([values], given, MAX_FLOAT32);
  }

  private number(row: Row, name: string, largest: number): number {
    const value = row[name];
    const classes = this.labels.get(name);
    const number = classes && value !== null && value !== undefined ? classes.indexOf(String(value)) : value;
    if (typeof number === "number" && Math.abs(number) <= largest && !(classes && number < 0)) return number;
    const range = largest < Number.MAX_VALUE ? `a number up to ${largest}` : "a finite number";
    throw new PushforwardError("DATA", `a row has no valid value of "${name}"`, {
      expected: classes ? `one of ${classes.join(", ")}` : range,
      received: brief(value),
    });
  }
}
