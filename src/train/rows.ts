import type { DataRows } from "../bijections/bijection.ts";
import { PushforwardError } from "../errors.ts";
import type { Flow } from "../flows/flow.ts";

/** Rows to learn from or to judge by: data, context and weights row by row. */
export interface TrainingRows {
  readonly rows: number;
  /** [rows, D] */
  readonly values: Float64Array;
  /** [rows, C] */
  readonly context: Float64Array;
  /** [rows] */
  readonly weights: Float64Array;
  /** [rows] number of each row in the data that were given, counted from 0. */
  readonly index: Int32Array;
}

/** Numbers in row-major order, or an object that carries them. */
export type RowData = ArrayLike<number> | { readonly values: ArrayLike<number> };

export function trainingRows(
  flow: Flow,
  data: RowData,
  context: ArrayLike<number> | undefined,
  weights: ArrayLike<number> | undefined,
): TrainingRows {
  const rows = checkedRows(flow, {
    values: Float64Array.from(valuesOf(data)),
    context: Float64Array.from(context ?? []),
    ...(weights && { weights: Float64Array.from(weights) }),
  });
  if (rows.rows < 2) throw tooFew(rows.rows);
  checkClasses(flow, rows);
  return rows;
}

/** Throws `DATA` for a label in the context that is no class of the flow's. */
export const checkClasses = ({ embedding }: Flow, { context, index }: TrainingRows): void =>
  embedding?.check(context, (row) => index[row]);

export const valuesOf = (data: RowData): ArrayLike<number> =>
  "values" in data && typeof data.values !== "function" ? data.values : (data as ArrayLike<number>);

export const tooFew = (rows: number): PushforwardError =>
  new PushforwardError("DATA", "there is too little to learn from", {
    expected: "2 rows or more",
    received: `${rows}`,
  });

/** Numbers of columns. */
export interface Widths {
  readonly features: number;
  readonly context: number;
}

/** Rows as they are, if they fit and are finite; `before` is how many came before them. */
export function checkedRows(
  { features, context: conditions }: Widths,
  { values, context, weights }: { values: Float64Array; context: Float64Array; weights?: Float64Array },
  before = 0,
): TrainingRows {
  const rows = values.length / features;
  const check = (what: string, received: number, expected: number) => {
    if (received !== expected) {
      const where = before > 0 ? ` of the block from row ${before} on` : "";
      throw new PushforwardError("SHAPE", `${what}${where} do not fit the flow`, {
        expected: `${expected} numbers`,
        received: `${received}`,
      });
    }
  };
  check("data", values.length, Math.ceil(rows) * features);
  check("context", context.length, rows * conditions);
  if (weights) check("weights", weights.length, rows);
  const badWeight = weights
    ? weights.findIndex((weight) => !(weight >= 0 && weight < Number.POSITIVE_INFINITY))
    : -1;
  if (badWeight >= 0) {
    throw new PushforwardError("DATA", `the weight of row ${before + badWeight} is ${weights![badWeight]}`, {
      expected: "a finite number from 0",
      mend: "Give every row a weight, 0 to leave it out.",
    });
  }
  const bad = firstNonFinite(values);
  if (bad < values.length) {
    throw new PushforwardError(
      "DATA",
      `row ${before + Math.floor(bad / features)}, column ${bad % features} is ${values[bad]}`,
      {
        expected: "finite numbers",
        mend: "Leave such rows out or replace the value.",
      },
    );
  }
  return {
    rows,
    values,
    context,
    weights: weights ?? new Float64Array(rows).fill(1),
    index: counting(rows, before),
  };
}

function firstNonFinite(values: Float64Array): number {
  let i = 0;
  while (i < values.length && Number.isFinite(values[i])) i++;
  return i;
}

/** The numbers `start`, `start + 1`... */
export function counting(length: number, start = 0): Int32Array {
  const numbers = new Int32Array(length);
  for (let i = 0; i < length; i++) numbers[i] = start + i;
  return numbers;
}

/** Room for rows, to be filled by `copyRow`. */
export const emptyRows = (rows: number, { features, context }: Widths): TrainingRows => ({
  rows,
  values: new Float64Array(rows * features),
  context: new Float64Array(rows * context),
  weights: new Float64Array(rows),
  index: new Int32Array(rows),
});

export function copyRow(source: TrainingRows, from: number, target: TrainingRows, to: number): void {
  copyNumbers(source.values, from, target.values, to, source.values.length / source.rows);
  copyNumbers(source.context, from, target.context, to, source.context.length / source.rows);
  target.weights[to] = source.weights[from];
  target.index[to] = source.index[from];
}

function copyNumbers(
  source: Float64Array,
  from: number,
  target: Float64Array,
  to: number,
  width: number,
): void {
  for (let c = 0; c < width; c++) target[to * width + c] = source[from * width + c];
}

/** The sum of the weights of the chosen rows. */
export function totalWeight({ weights }: TrainingRows, chosen: Int32Array): number {
  let total = 0;
  for (let i = 0; i < chosen.length; i++) total += weights[chosen[i]];
  return total;
}

/** The chosen rows, in the order given. */
export function selectRows(data: TrainingRows, chosen: ArrayLike<number>): TrainingRows {
  const rows = chosen.length;
  const take = (values: Float64Array): Float64Array => {
    const width = values.length / data.rows;
    const out = new Float64Array(rows * width);
    for (let r = 0; r < rows; r++)
      out.set(values.subarray(chosen[r] * width, (chosen[r] + 1) * width), r * width);
    return out;
  };
  return {
    rows,
    values: take(data.values),
    context: take(data.context),
    weights: take(data.weights),
    index: Int32Array.from(chosen, (row) => data.index[row]),
  };
}

/** At most `max` rows, at equal distances. */
export function spacedRows(data: TrainingRows, max: number): TrainingRows {
  const count = Math.min(max, data.rows);
  const chosen = Int32Array.from({ length: count }, (_, i) => Math.floor((i * data.rows) / count));
  return selectRows(data, chosen);
}

export const asDataRows = ({ rows, values, weights, context }: TrainingRows): DataRows => ({
  rows,
  features: values.length / rows,
  values,
  weights,
  ...(context.length > 0 && { context }),
});
