import { PushforwardError } from "../errors.ts";
import { type Batches, batchesInMemory } from "./batches.ts";
import { type Columns, type Constants, constantColumns, withoutFeatures } from "./constantColumns.ts";
import { counting } from "./counting.ts";
import type { BatchOptions, Dataset, Split } from "./dataset.ts";
import { flatRows, type RowsInput } from "./rowsInput.ts";
import { holdOut, shareOf } from "./split.ts";

export interface DatasetOptions {
  /** D, the number of features. A flat array of rows needs it, or `columns`. */
  readonly features?: number;
  /** Context of each row, for a conditional flow: [rows, C]. */
  readonly context?: RowsInput | undefined;
  /** A non-negative weight for each row: [rows]. Default 1 for each. */
  readonly weights?: ArrayLike<number> | undefined;
  /** Names of the features. Default: those of the objects or columns that were given. */
  readonly columns?: readonly string[] | undefined;
  /** Names of the context features. Default: those of the objects or columns that were given. */
  readonly contextColumns?: readonly string[] | undefined;
}

/** The arrays of an `InMemoryDataset`. */
interface RowArrays {
  readonly features: number;
  readonly values: Float64Array;
  readonly context?: Float64Array | undefined;
  readonly weights?: Float64Array | undefined;
  readonly rowNumbers?: Int32Array | undefined;
  readonly columns?: readonly string[] | undefined;
  readonly contextColumns?: readonly string[] | undefined;
}

/** Rows in memory; see `Dataset`. Its arrays are not to be changed. */
export class InMemoryDataset implements Dataset {
  readonly rows: number;
  readonly features: number;
  readonly contextFeatures: number;
  /** [rows, D] in row-major order. */
  readonly values: Float64Array;
  /** [rows, C] in row-major order; empty without a context. */
  readonly context: Float64Array;
  /** [rows], not negative. */
  readonly weights: Float64Array;
  /** [rows]: what messages call each row, such as its number in a table. By default rows are counted from 0. */
  readonly rowNumbers: Int32Array;
  readonly columns: readonly string[] | undefined;
  readonly contextColumns: readonly string[] | undefined;

  /**
   * Takes the arrays as they are, without a copy and without a check of their numbers; see `dataset` for both.
   *
   * @throws SHAPE when the arrays do not have the same number of rows.
   */
  constructor({ features, values, context, weights, rowNumbers, columns, contextColumns }: RowArrays) {
    this.rows = values.length / features;
    this.features = features;
    this.values = values;
    this.context = context ?? new Float64Array(0);
    this.contextFeatures = this.rows === 0 ? 0 : this.context.length / this.rows;
    this.weights = weights ?? new Float64Array(this.rows).fill(1);
    this.rowNumbers = rowNumbers ?? counting(this.rows);
    this.columns = columns;
    this.contextColumns = contextColumns;
    const fits = [this.rows, this.contextFeatures].every(Number.isInteger);
    if (fits && [this.weights, this.rowNumbers].every(({ length }) => length === this.rows)) return;
    throw new PushforwardError("SHAPE", "the arrays of a dataset do not fit each other", {
      expected: `values [rows, ${features}], context [rows, C], weights [rows]`,
      received: [values, this.context, this.weights].map(({ length }) => `${length} numbers`).join(", "),
    });
  }

  get sample(): this {
    return this;
  }

  get meanWeight(): number {
    return totalWeight(this) / this.rows;
  }

  get constants(): Constants {
    return constantColumns(this);
  }

  /** The chosen rows, by their place from 0, in the order given. */
  select(chosen: ArrayLike<number>): InMemoryDataset {
    const take = (values: Float64Array, width: number) => {
      const out = new Float64Array(chosen.length * width);
      for (let r = 0; r < chosen.length; r++)
        out.set(values.subarray(chosen[r]! * width, (chosen[r]! + 1) * width), r * width);
      return out;
    };
    return this.with({
      values: take(this.values, this.features),
      context: take(this.context, this.contextFeatures),
      weights: take(this.weights, 1),
      rowNumbers: Int32Array.from(chosen, (row) => this.rowNumbers[row]!),
    });
  }

  /** At most `max` rows, at equal distances. */
  spaced(max: number): InMemoryDataset {
    const count = Math.min(max, this.rows);
    return this.select(Int32Array.from({ length: count }, (_, i) => Math.floor((i * this.rows) / count)));
  }

  /** The same rows with other arrays in place of some. */
  with(arrays: Partial<RowArrays>): InMemoryDataset {
    const { features, values, context, weights, rowNumbers, columns, contextColumns } = this;
    const own = { features, values, context, weights, rowNumbers, columns, contextColumns };
    return new InMemoryDataset({ ...own, ...arrays });
  }

  /** Writes row `from` of other rows to place `to`: for rows that are being collected. */
  copyRow(source: InMemoryDataset, from: number, to: number): void {
    copyNumbers(source.values, from, this.values, to, this.features);
    copyNumbers(source.context, from, this.context, to, this.contextFeatures);
    this.weights[to] = source.weights[from]!;
    this.rowNumbers[to] = source.rowNumbers[from]!;
  }

  split(fraction: number, seed: number): Split<this> {
    const { training, validation } = holdOut(this, shareOf(this.rows, fraction), seed);
    return { training: training as this, validation };
  }

  batches(options: BatchOptions): Batches {
    return batchesInMemory(this, options);
  }

  withoutColumns(columns: Columns): this {
    return withoutFeatures(this, columns) as this;
  }
}

/**
 * Rows as a dataset: a copy, so that the arrays given may change afterwards.
 *
 * @throws SHAPE, DATA or ARGUMENT when the rows, their context or weights cannot be read or do not fit each other (see
 *   `flatRows`), a number is infinite, or a weight is negative.
 */
export function dataset(
  rows: RowsInput,
  { features, context, weights, columns, contextColumns }: DatasetOptions = {},
  firstRow = 0,
): InMemoryDataset {
  const flat = flatRows(rows, { features, columns, firstRow });
  const given =
    context && flatRows(context, { what: "the context", rows: flat.rows, columns: contextColumns, firstRow });
  const ownWeights = weights && checkedWeights(weights, flat.rows, firstRow);
  for (const { what, values, width, names } of [
    { what: "rows", values: flat.values, width: flat.features, names: flat.columns ?? columns },
    { what: "the context", values: given?.values ?? [], width: given?.features ?? 1, names: undefined },
  ]) {
    const bad = values.findIndex((value) => !Number.isFinite(value));
    if (bad < 0) continue;
    const column = names ? `"${names[bad % width]}"` : `${bad % width}`;
    const where = `row ${firstRow + Math.floor(bad / width)}, column ${column} of ${what}`;
    throw new PushforwardError("DATA", `${where} is ${values[bad]}`, {
      expected: "finite numbers",
      hint: "Leave such rows out, or replace the value.",
    });
  }
  return new InMemoryDataset({
    features: flat.features,
    values: flat.values,
    context: given?.values,
    weights: ownWeights,
    rowNumbers: counting(flat.rows, firstRow),
    columns: flat.columns ?? columns,
    contextColumns: given?.columns ?? contextColumns,
  });
}

function checkedWeights(given: ArrayLike<number>, rows: number, firstRow: number): Float64Array {
  const weights = Float64Array.from(given);
  if (weights.length !== rows) {
    throw new PushforwardError("SHAPE", "the weights have another number of rows", {
      expected: `${rows}`,
      received: `${weights.length}`,
    });
  }
  const bad = weights.findIndex((weight) => !(weight >= 0 && weight < Number.POSITIVE_INFINITY));
  if (bad < 0) return weights;
  throw new PushforwardError("DATA", `the weight of row ${firstRow + bad} is ${given[bad]}`, {
    expected: "a finite number from 0",
    hint: "Give every row a weight, 0 to leave it out.",
  });
}

function copyNumbers(
  source: Float64Array,
  from: number,
  target: Float64Array,
  to: number,
  width: number,
): void {
  for (let c = 0; c < width; c++) target[to * width + c] = source[from * width + c]!;
}

/** The sum of the weights of all rows, or of the chosen ones. */
export function totalWeight({ weights }: InMemoryDataset, chosen?: Int32Array): number {
  let total = 0;
  for (let i = 0; i < (chosen ?? weights).length; i++) total += weights[chosen ? chosen[i]! : i]!;
  return total;
}

/** An error for too few rows. */
export const tooFew = (rows: number): PushforwardError =>
  new PushforwardError("DATA", "there is too little to learn from", {
    expected: "2 rows or more",
    received: `${rows}`,
  });
