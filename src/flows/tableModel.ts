import { PushforwardError } from "../errors.ts";
import { nearestName } from "../nearestName.ts";
import { checkOptions } from "../options.ts";
import { decodeRows, encodeRows, withLabelsOf } from "../tables/encode.ts";
import { featureNames, type RawColumn, type TableColumn, type ValueType } from "../tables/tableColumn.ts";
import {
  rawColumns,
  type TableInput,
  type TableRow,
  type TableValue,
  tableValue,
} from "../tables/tableRows.ts";
import type { RunOptions } from "./batchRunner.ts";
import { ConditionalRows, subsetPart } from "./conditionalRows.ts";
import type { Flow } from "./flow.ts";
import type { LoadedModel } from "./modelFile.ts";

/** Options of `TableModel.score`. */
export interface TableScoreOptions extends RunOptions {
  /** Score only these columns: log p(of | given). Default: all columns. */
  of?: readonly string[];
  /** The columns that `of` is conditional on. Default none. */
  given?: readonly string[];
}

/** Options of `TableModel.sample`. */
export interface TableSampleOptions extends RunOptions {
  /** Row i depends only on the seed and i. Default 0. */
  seed?: number;
  /** Index of the first row. Default 0. */
  start?: number;
  /** Values of some columns: the others are drawn conditional on these. */
  given?: Readonly<Record<string, TableValue>>;
}

/** Options of `TableModel.impute`. */
export interface TableImputeOptions extends RunOptions {
  /** Default 0. */
  seed?: number;
}

/**
 * A model of the rows of a table with columns of any kind: a flow over features, and the columns whose values the features encode.
 *
 * Its log-density is the logarithm of a product: the density of the continuous values, in the units of the columns, times the
 * probability of all other values and of the missing ones.
 */
export class TableModel implements AsyncDisposable {
  readonly columns: readonly TableColumn[];
  readonly flow: Flow;
  private compiled: { threads: number | undefined; conditional: ConditionalRows } | undefined;

  /** Throws `SHAPE` if the features of the columns are not those of the flow. */
  constructor({ columns, flow }: { columns: readonly TableColumn[]; flow: Flow }) {
    const features = columns.flatMap(featureNames).length;
    if (features !== flow.features) {
      throw new PushforwardError("SHAPE", "the columns of a table model do not match its flow", {
        expected: `${flow.features} features`,
        received: `${features}`,
      });
    }
    this.columns = columns;
    this.flow = flow;
  }

  /** The model of a file that was written for a table. Throws `ARGUMENT` for other models. */
  static from({ table, flow }: Pick<LoadedModel, "table" | "flow">): TableModel {
    if (table) return new TableModel({ columns: table, flow });
    throw new PushforwardError("ARGUMENT", "the model is not one of a table with columns of any kind", {
      hint: "Use its flow, which takes rows of numbers.",
    });
  }

  /** What `encodeModel` and `saveModel` take: the flow, with the columns that its features encode. */
  get contents(): Pick<LoadedModel, "flow" | "table" | "columns"> {
    const { flow, columns } = this;
    return { flow, table: columns, columns: columns.flatMap(featureNames) };
  }

  /**
   * log p of each row in nats, NaN if a value is missing in a column without gaps. Labels that training did not see have a small
   * probability; a value outside the bounds or the lattice of its column, or other than its constant, has probability 0.
   */
  async score(rows: TableInput, options: TableScoreOptions = {}): Promise<Float64Array> {
    checkOptions("score", options, ["of", "given", "threads", "precision", "providers"]);
    const { of, given, ...run } = options;
    const { values, impossible } = this.encode(rows, of && [...of, ...(given ?? [])]);
    const D = this.flow.features;
    const result = of
      ? await this.conditionalScore(values, of, given ?? [], run)
      : await this.flow.logProb(replaceMissing(values, this.incompleteFeatures(), D), undefined, run);
    const count = values.length / D;
    const inUse = of ? this.featuresOf([...of, ...(given ?? [])]) : this.featuresOf();
    const incomplete = this.incompleteFeatures().filter((feature) => inUse.includes(feature));
    for (let n = 0; n < count; n++) {
      if (impossible.has(n)) result[n] = Number.NEGATIVE_INFINITY;
      if (incomplete.some((feature) => Number.isNaN(values[n * D + feature]))) result[n] = Number.NaN;
    }
    return result;
  }

  /** n rows of the model. With `given` they are drawn from the exact conditional distribution of the other columns. */
  async sample(n: number, options: TableSampleOptions = {}): Promise<TableRow[]> {
    return this.decode(await this.sampleFeatures(n, options), n);
  }

  /** The features [n, D] of the rows that `sample` draws. */
  async sampleFeatures(n: number, options: TableSampleOptions = {}): Promise<Float64Array> {
    checkOptions("sample", options, ["seed", "start", "given", "threads", "precision", "providers"]);
    const { seed = 0, start = 0, given, ...run } = options;
    if (!given || Object.keys(given).length === 0) return this.flow.sample(n, { seed, start, ...run });
    const names = Object.keys(given);
    const { values, impossible, unknownLabels } = this.encode([given], names);
    const [unknown] = unknownLabels;
    if (unknown) {
      throw new PushforwardError("DATA", `column "${unknown.column}" has no label ${unknown.label}`, {
        expected:
          unknown.known.length <= 12 ? unknown.known.join(", ") : `one of ${unknown.known.length} labels`,
        received: unknown.label,
        ...didYouMean(unknown.label, unknown.known),
      });
    }
    if (impossible.size > 0) {
      throw new PushforwardError("DATA", "the given values have probability 0", {
        received: JSON.stringify(given),
        hint: "Give the value of a constant column, or leave it out.",
      });
    }
    const D = this.flow.features;
    const known = this.knownMask(n, names);
    const repeated = Float64Array.from({ length: n * D }, (_, i) => values[i % D]);
    return this.conditional(run).complete({ values: repeated, known }, { seed, start });
  }

  /**
   * The rows with a value in place of each missing one, drawn from the distribution of the missing values given the present ones and
   * given that they are present (missing at random). Columns that a row does not have are drawn too.
   */
  async impute(rows: TableInput, options: TableImputeOptions = {}): Promise<TableRow[]> {
    checkOptions("impute", options, ["seed", "threads", "precision", "providers"]);
    const { seed = 0, ...run } = options;
    const present = this.columns.map(({ name }) => name).filter((name) => hasColumn(rows, name));
    const { values } = this.encode(rows, present);
    const completed = await this.completeFeatures(values, { seed, present: true, ...run });
    return this.decode(completed, values.length / this.flow.features);
  }

  /**
   * Features [N, D] with a draw in place of each NaN, which is missing in no row if `present` is true. Row n depends on the seed and on
   * `start` + n.
   */
  async completeFeatures(
    values: Float64Array,
    { seed = 0, start = 0, present, ...run }: TableImputeOptions & { start?: number; present: boolean },
  ): Promise<Float64Array> {
    const known = Uint8Array.from(values, (value) => (Number.isNaN(value) ? 0 : 1));
    return this.conditional(run).complete({ values, known }, { seed, start, present });
  }

  /** The sum of the weights of the parts of the model that `given`, `of` and `impute` use: those with exact conditional distributions. */
  get conditionalShare(): number {
    return subsetPart(this.flow.base).share;
  }

  /** Frees what the methods keep for their next call. The next call creates it again. `await using` calls this too. */
  async release(): Promise<void> {
    await this.flow.release();
    await this.compiled?.conditional[Symbol.asyncDispose]();
    this.compiled = undefined;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }

  /** The compiled conditional distributions, which later calls with as many threads use again. */
  private conditional({ threads }: RunOptions): ConditionalRows {
    if (!this.compiled || this.compiled.threads !== threads) {
      const { part } = subsetPart(this.flow.base);
      this.compiled = { threads, conditional: new ConditionalRows(part, { threads }) };
    }
    return this.compiled.conditional;
  }

  /** log p(of | given) of rows of features [N, D], as `score` has it. Features of other columns may be NaN. */
  async conditionalScore(
    values: Float64Array,
    of: readonly string[],
    given: readonly string[],
    run: RunOptions = {},
  ): Promise<Float64Array> {
    const rows = values.length / this.flow.features;
    const conditional = this.conditional(run);
    const joint = await conditional.logProbKnown({ values, known: this.knownMask(rows, [...of, ...given]) });
    if (given.length === 0) return joint;
    const ofGiven = await conditional.logProbKnown({ values, known: this.knownMask(rows, given) });
    return joint.map((value, n) => value - ofGiven[n]);
  }

  private knownMask(rows: number, names: readonly string[]): Uint8Array {
    const D = this.flow.features;
    const features = this.featuresOf(names);
    return Uint8Array.from({ length: rows * D }, (_, i) => (features.includes(i % D) ? 1 : 0));
  }

  /** The indices of the features of some columns. */
  private featuresOf(names: readonly string[] = this.columns.map(({ name }) => name)): number[] {
    let next = 0;
    return this.columns.flatMap((column) => {
      const indices = featureNames(column).map(() => next++);
      return names.includes(column.name) ? indices : [];
    });
  }

  /** The features of columns in which no value may be missing. */
  private incompleteFeatures(): number[] {
    return this.featuresOf(this.columns.filter(({ gaps }) => !gaps).map(({ name }) => name));
  }

  /** The features of rows that have the columns `names`; those of other columns are NaN. */
  private encode(
    rows: TableInput,
    names: readonly string[] = this.columns.map(({ name }) => name),
  ): EncodedRows {
    for (const name of names) {
      if (this.columns.some((column) => column.name === name)) continue;
      const known = this.columns.map((column) => column.name);
      throw new PushforwardError("DATA", `the model has no column "${name}"`, {
        expected: `one of ${known.join(", ")}`,
        ...didYouMean(name, known),
      });
    }
    const texts = this.columns.filter(({ type }) => type === "text").map(({ name }) => name);
    const raw = rawColumns(rows, new Set(texts));
    const count = raw[0].values.length;
    const impossible = new Set<number>();
    const unknownLabels: { column: string; label: string; known: readonly string[] }[] = [];
    const values = this.columns.map((column) => {
      if (!names.includes(column.name)) return new Float64Array(count).fill(Number.NaN);
      const source = raw.find(({ name }) => name === column.name);
      if (!source) {
        throw new PushforwardError("DATA", `the rows have no column "${column.name}"`, {
          expected: names.join(", "),
          received: raw.map(({ name }) => name).join(", "),
        });
      }
      checkType(column, source);
      if (column.kind === "constant") {
        source.values.forEach((value, n) => {
          if (textOf(source, value) !== column.value) impossible.add(n);
        });
        return source.values;
      }
      const codes = withLabelsOf(column, source);
      if (column.kind === "categorical") {
        const n = codes.indexOf(column.labels.length);
        if (n >= 0)
          unknownLabels.push({
            column: column.name,
            label: textOf(source, source.values[n])!,
            known: column.labels,
          });
      }
      return codes;
    });
    return { values: encodeRows(this.columns, values), impossible, unknownLabels };
  }

  private decode(rows: Float64Array, count = rows.length / this.flow.features): TableRow[] {
    const columns = decodeRows(this.columns, rows);
    return Array.from({ length: count }, (_, n) =>
      Object.fromEntries(this.columns.map((column, c) => [column.name, tableValue(column, columns[c][n])])),
    );
  }
}

interface EncodedRows {
  /** [N, D] */
  readonly values: Float64Array;
  /** Rows in which a constant column has another value. */
  readonly impossible: ReadonlySet<number>;
  /** The first label of each column that training did not see. */
  readonly unknownLabels: readonly {
    readonly column: string;
    readonly label: string;
    readonly known: readonly string[];
  }[];
}

/** Rows with 0 in place of NaN in the features that have no missing values, since the flow refuses NaN there. */
const replaceMissing = (values: Float64Array, features: readonly number[], D: number): Float64Array =>
  values.map((value, i) => (Number.isNaN(value) && features.includes(i % D) ? 0 : value));

function didYouMean(text: string, known: readonly string[]): { hint?: string } {
  const nearest = nearestName(text, known);
  return nearest === undefined ? {} : { hint: `Did you mean "${nearest}"?` };
}

const hasColumn = (rows: TableInput, name: string): boolean =>
  Array.isArray(rows) ? rows.some((row) => Object.hasOwn(row, name)) : Object.hasOwn(rows, name);

/** Types whose values can be read as those of a column. */
const READABLE: Readonly<Record<ValueType, readonly ValueType[]>> = {
  number: ["number", "integer"],
  integer: ["number", "integer"],
  boolean: ["boolean"],
  text: ["text", "number", "integer", "boolean", "date", "timestamp"],
  date: ["date", "timestamp"],
  timestamp: ["date", "timestamp"],
  time: ["time"],
};

function checkType({ name, type }: TableColumn, source: RawColumn): void {
  if (READABLE[type].includes(source.type) || source.values.every(Number.isNaN)) return;
  throw new PushforwardError("DATA", `column "${name}" has another type than in the training`, {
    expected: type,
    received: source.type,
    hint: "Convert the column.",
  });
}

function textOf({ type, labels }: RawColumn, value: number): string | null {
  if (Number.isNaN(value)) return null;
  if (type === "text") return labels![value];
  return type === "boolean" ? String(value === 1) : String(value);
}
