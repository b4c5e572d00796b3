import {
  anyValue,
  checkOptions,
  integerFrom,
  listOfTexts,
  type OptionRules,
  PushforwardError,
  required,
} from "../check/index.ts";
import { type Batches, batchesInMemory } from "./batches.ts";
import { checkDistinctNames } from "./checkDistinctNames.ts";
import { type Columns, type Constants, constantColumns, removeFeatures } from "./constantColumns.ts";
import { type BatchOptions, batchRules, type Dataset, type Split } from "./dataset.ts";
import { range } from "./range.ts";
import { flatRows, type RowsInput } from "./rowsInput.ts";
import { type StoredValues, selectRows } from "./selectRows.ts";
import { heldOutCount, holdOut } from "./split.ts";

/** Options of `dataset`. */
export interface DatasetOptions {
  /** D, the number of features. A flat array of rows needs it, or `columns`. Default: that of the rows. */
  readonly features?: number | undefined;
  /** The context of each row, for a conditional flow: [rows, C]. Default none. */
  readonly context?: RowsInput | undefined;
  /** A non-negative weight for each row: [rows]. Default 1 for each. */
  readonly weights?: ArrayLike<number> | undefined;
  /** Names of the features. Default: the names in the rows, if these are objects or columns. */
  readonly columns?: readonly string[] | undefined;
  /** Names of the context features. Default: the names in the context, if it is objects or columns. */
  readonly contextColumns?: readonly string[] | undefined;
}

/** `flatRows` checks the rows. */
const datasetRules: OptionRules<DatasetOptions> = {
  features: integerFrom(1),
  context: anyValue,
  weights: anyValue,
  columns: listOfTexts,
  contextColumns: listOfTexts,
};

/** The arrays of an `InMemoryDataset`. */
export interface RowArrays {
  readonly features: number;
  /** Pixels may be stored in bytes, an eighth of the memory. */
  readonly values: StoredValues;
  readonly context?: Float64Array | undefined;
  readonly weights?: Float64Array | undefined;
  readonly rowNumbers?: Int32Array | undefined;
  readonly columns?: readonly string[] | undefined;
  readonly contextColumns?: readonly string[] | undefined;
}

const arrayRules: OptionRules<RowArrays> = {
  features: required(integerFrom(1)),
  values: required(anyValue),
  context: anyValue,
  weights: anyValue,
  rowNumbers: anyValue,
  columns: listOfTexts,
  contextColumns: listOfTexts,
};

/** A dataset in memory; see `Dataset`. Its arrays must not be changed. */
export class InMemoryDataset implements Dataset {
  readonly rows: number;
  readonly features: number;
  readonly contextFeatures: number;
  /** [rows, D] in row-major order, as they are stored. */
  readonly storedValues: StoredValues;
  /** [rows, C] in row-major order; empty without a context. */
  readonly context: Float64Array;
  /** [rows], non-negative. */
  readonly weights: Float64Array;
  /** `[rows]`: the row number in the source, which error messages show. By default rows are numbered from 0. */
  readonly rowNumbers: Int32Array;
  readonly columns: readonly string[] | undefined;
  readonly contextColumns: readonly string[] | undefined;
  /** Values that were converted from bytes, as long as other code refers to them. */
  #converted: WeakRef<Float64Array> | undefined;

  /**
   * Uses the arrays without a copy and without a check of their numbers. `dataset` does both.
   *
   * @throws SHAPE when the arrays have different numbers of rows.
   */
  constructor(arrays: RowArrays) {
    checkOptions("new InMemoryDataset", arrays, arrayRules);
    const { features, values, context, weights, rowNumbers, columns, contextColumns } = arrays;
    this.rows = values.length / features;
    this.features = features;
    this.storedValues = values;
    this.context = context ?? new Float64Array(0);
    this.contextFeatures = this.rows === 0 ? 0 : this.context.length / this.rows;
    this.weights = weights ?? new Float64Array(this.rows).fill(1);
    this.rowNumbers = rowNumbers ?? range(this.rows);
    this.columns = columns;
    this.contextColumns = contextColumns;
    const fits = [this.rows, this.contextFeatures].every(Number.isInteger);
    if (fits && [this.weights, this.rowNumbers].every(({ length }) => length === this.rows)) return;
    throw new PushforwardError("SHAPE", "the arrays of a dataset have different numbers of rows", {
      expected: `values [rows, ${features}], context [rows, C], weights [rows]`,
      received: [values, this.context, this.weights].map(({ length }) => `${length} numbers`).join(", "),
    });
  }

  /** Whether the values are stored as bytes, as pixels are. */
  get hasBytes(): boolean {
    return !(this.storedValues instanceof Float64Array);
  }

  /** [rows, D] in row-major order. Bytes are converted, so this may be a large new array. */
  get values(): Float64Array {
    if (this.storedValues instanceof Float64Array) return this.storedValues;
    let values = this.#converted?.deref();
    if (values) return values;
    values = new Float64Array(this.storedValues);
    this.#converted = new WeakRef(values);
    return values;
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

  /** The rows with these indices, in this order. */
  select(indices: ArrayLike<number>): InMemoryDataset {
    return this.with({
      values: selectRows(this.storedValues, indices, this.features),
      context: selectRows(this.context, indices, this.contextFeatures),
      weights: selectRows(this.weights, indices, 1),
      rowNumbers: Int32Array.from(indices, (row) => this.rowNumbers[row]!),
    });
  }

  /** At most `max` rows, evenly spaced. */
  spaced(max: number): InMemoryDataset {
    const count = Math.min(max, this.rows);
    return this.select(Int32Array.from({ length: count }, (_, i) => Math.floor((i * this.rows) / count)));
  }

  /** A copy of this dataset in which some arrays are replaced. */
  with(arrays: Partial<RowArrays>): InMemoryDataset {
    return new InMemoryDataset({ ...this.arrays(), ...arrays });
  }

  /** The arrays as plain data, from which the constructor makes this dataset again. They are not copied. */
  arrays(): RowArrays {
    const { features, storedValues: values, context, weights, rowNumbers, columns, contextColumns } = this;
    return { features, values, context, weights, rowNumbers, columns, contextColumns };
  }

  /** Overwrites row `to` with row `from` of `source`. Only for buffers that `allocateRows` made for such rows. */
  copyRow(source: InMemoryDataset, from: number, to: number): void {
    copyNumbers(source.storedValues, from, this.storedValues, to, this.features);
    copyNumbers(source.context, from, this.context, to, this.contextFeatures);
    this.weights[to] = source.weights[from]!;
    this.rowNumbers[to] = source.rowNumbers[from]!;
  }

  split(fraction: number, seed: number): Split<this> {
    const { training, validation } = holdOut(this, heldOutCount(this.rows, fraction), seed);
    return { training: training as this, validation };
  }

  batches(options: BatchOptions): Batches {
    checkOptions("batches", options, batchRules);
    return batchesInMemory(this, options);
  }

  withoutColumns(columns: Columns): this {
    return removeFeatures(this, columns) as this;
  }
}

/** Rows with their values as they are stored, for functions that read numbers of any type. */
export const storedRows = ({ rows, features, storedValues, context }: InMemoryDataset) => ({
  rows,
  features,
  values: storedValues,
  context,
});

/**
 * Converts rows to a dataset. It copies them, so the input may change afterwards.
 *
 * @throws SHAPE, DATA or ARGUMENT when the rows, their context or weights are not valid or have different numbers of rows (see
 *   `flatRows`), a number is infinite, a weight is negative, or there is not one name, different from the others, for each column.
 */
export function dataset<Row extends object>(
  rows: RowsInput<Row>,
  options: DatasetOptions = {},
  firstRow = 0,
): InMemoryDataset {
  checkOptions("dataset", options, datasetRules);
  const { features, context, weights, columns, contextColumns } = options;
  const flat = flatRows(rows, { features, columns, firstRow });
  if (flat.features === 0)
    throw new PushforwardError("DATA", "there are no rows", { expected: "at least one row" });
  const contextRows =
    context && flatRows(context, { what: "the context", rows: flat.rows, columns: contextColumns, firstRow });
  if (columns) checkDistinctNames("columns of dataset", columns, flat.features);
  if (contextRows && contextColumns)
    checkDistinctNames("contextColumns of dataset", contextColumns, contextRows.features);
  const rowWeights = weights && checkedWeights(weights, flat.rows, firstRow);
  return new InMemoryDataset({
    features: flat.features,
    values: flat.values,
    context: contextRows?.values,
    weights: rowWeights,
    rowNumbers: range(flat.rows, firstRow),
    columns: flat.columns ?? columns,
    contextColumns: contextRows?.columns ?? contextColumns,
  });
}

function checkedWeights(input: ArrayLike<number>, rows: number, firstRow: number): Float64Array {
  const weights = Float64Array.from(input);
  if (weights.length !== rows) {
    throw new PushforwardError("SHAPE", "the number of weights is not the number of rows", {
      expected: `${rows}`,
      received: `${weights.length}`,
    });
  }
  const badIndex = weights.findIndex((weight) => !(weight >= 0 && weight < Number.POSITIVE_INFINITY));
  if (badIndex < 0) return weights;
  throw new PushforwardError("DATA", `the weight of row ${firstRow + badIndex} is ${input[badIndex]}`, {
    expected: "a finite number that is not negative",
    hint: "Give every row a weight; rows with weight 0 are ignored.",
  });
}

function copyNumbers(
  source: StoredValues,
  from: number,
  target: StoredValues,
  to: number,
  width: number,
): void {
  for (let c = 0; c < width; c++) target[to * width + c] = source[from * width + c]!;
}

/** The sum of the weights of all rows, or of the rows with the given indices. */
export function totalWeight({ weights }: InMemoryDataset, indices?: Int32Array): number {
  let total = 0;
  for (let i = 0; i < (indices ?? weights).length; i++) total += weights[indices ? indices[i]! : i]!;
  return total;
}

/** The error for fewer than two rows. */
export const tooFewRows = (rows: number): PushforwardError =>
  new PushforwardError("DATA", "there are too few rows to train a flow", {
    expected: "at least 2 rows",
    received: `${rows}`,
  });
