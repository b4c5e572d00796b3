import type { DataRows } from "../bijections/bijection.ts";
import { PushforwardError } from "../errors.ts";
import type { Flow } from "../flows/flow.ts";
import { Random } from "../random/index.ts";

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

/** What `fit` takes as data: numbers in row-major order, or an object that carries them. */
export type FitData = ArrayLike<number> | { readonly values: ArrayLike<number> };

export function trainingRows(
  flow: Flow,
  data: FitData,
  context: ArrayLike<number> | undefined,
  weights: ArrayLike<number> | undefined,
): TrainingRows {
  const given =
    "values" in data && typeof data.values !== "function" ? data.values : (data as ArrayLike<number>);
  const values = Float64Array.from(given);
  const rows = values.length / flow.features;
  const check = (what: string, received: number, expected: number) => {
    if (received !== expected) {
      throw new PushforwardError("SHAPE", `${what} do not fit the flow`, {
        expected: `${expected} numbers`,
        received: `${received}`,
      });
    }
  };
  check("data", values.length, Math.ceil(rows) * flow.features);
  check("context", context?.length ?? 0, rows * flow.context);
  if (weights) check("weights", weights.length, rows);
  const bad = values.findIndex((x) => !Number.isFinite(x));
  if (bad >= 0) {
    throw new PushforwardError(
      "DATA",
      `row ${Math.floor(bad / flow.features)}, column ${bad % flow.features} is ${values[bad]}`,
      {
        expected: "finite numbers",
        mend: "Leave such rows out or replace the value.",
      },
    );
  }
  if (rows < 2)
    throw new PushforwardError("DATA", "there is too little to learn from", {
      expected: "2 rows or more",
      received: `${rows}`,
    });
  return {
    rows,
    values,
    context: Float64Array.from(context ?? []),
    weights: weights ? Float64Array.from(weights) : new Float64Array(rows).fill(1),
    index: Int32Array.from({ length: rows }, (_, i) => i),
  };
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

/** Shares rows out at random into training and validation; both have at least one row. */
export function splitRows(
  data: TrainingRows,
  fraction: number,
  seed: number,
): { training: TrainingRows; validation: TrainingRows } {
  const order = new Random(seed).split("validation").permutation(data.rows);
  const held = Math.min(data.rows - 1, Math.max(1, Math.round(fraction * data.rows)));
  return {
    training: selectRows(data, order.slice(held).sort()),
    validation: selectRows(data, order.slice(0, held).sort()),
  };
}

export const asDataRows = ({ rows, values, weights, context }: TrainingRows): DataRows => ({
  rows,
  features: values.length / rows,
  values,
  weights,
  ...(context.length > 0 && { context }),
});
