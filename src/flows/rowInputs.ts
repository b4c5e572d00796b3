import { type FlatRows, flatRows, type RowsInput } from "../dataset/rowsInput.ts";
import { PushforwardError } from "../errors.ts";
import { isPlainObject } from "../options.ts";
import { areRunOptions } from "../runtime/options.ts";
import { contextError } from "./contextError.ts";
import type { Flow } from "./flow.ts";

/** Contexts in any form that rows have, or one context for all rows: C numbers, or an object of them by name. */
export type ContextInput = RowsInput | Readonly<Record<string, number>>;

/** Rows of D numbers, as a copy. Throws as `flatRows` does, `DATA` for numbers that are not finite, and `ARGUMENT` for names
 * where the flow has none. */
export function dataRows(what: string, input: RowsInput, { features, columns }: Flow): FlatRows {
  if (!columns && hasNames(input)) throw unnamed(what, "columns");
  return finite(what, flatRows(input, { what, features, columns }));
}

/**
 * Contexts of C numbers, as a copy; undefined for a flow that has none. Throws `ARGUMENT` for a context that is missing, that
 * the flow does not have, or that is the options of `method`; `DATA` for numbers that are not finite; and as `flatRows` does.
 */
export function contextRows(
  method: string,
  input: ContextInput | undefined,
  flow: Flow,
): FlatRows | undefined {
  const { context: features, contextColumns: columns } = flow;
  const length = (input as { length?: unknown } | undefined)?.length;
  if (input === undefined || (features === 0 && length === 0)) {
    if (features > 0) throw contextError(features, "none");
    return undefined;
  }
  const names = isPlainObject(input) ? Object.keys(input) : [];
  if (isPlainObject(input) && (features === 0 || (areRunOptions(names) && !columns?.includes(names[0])))) {
    throw new PushforwardError("ARGUMENT", `${method} takes its options after the context`, {
      expected: features === 0 ? `${method}(rows, undefined, options)` : `${method}(rows, context, options)`,
      received: `an object with ${names.join(", ")} for the context`,
    });
  }
  if (features === 0)
    throw contextError(features, typeof length === "number" ? `an array of ${length}` : String(input));
  const single =
    names.length > 0 && names.every((name) => typeof (input as Record<string, unknown>)[name] === "number");
  const rows = (single ? [input] : input) as RowsInput;
  if (!columns && hasNames(rows)) throw unnamed("the context", "contextColumns");
  const flat = finite("the context", flatRows(rows, { what: "the context", features, columns }));
  flow.embedding?.check(flat.values);
  return flat;
}

/** Infinite numbers would give NaN. */
function finite(what: string, rows: FlatRows): FlatRows {
  const { values, features } = rows;
  for (let i = 0; i < values.length; i++) {
    if (Number.isFinite(values[i])) continue;
    throw new PushforwardError(
      "DATA",
      `row ${Math.floor(i / features)}, column ${i % features} of ${what} is not finite`,
      { expected: "a finite number", received: `${values[i]}` },
    );
  }
  return rows;
}

/** Whether rows are objects, or columns by name. */
function hasNames(input: RowsInput): boolean {
  return isPlainObject(input) || (Array.isArray(input) && isPlainObject(input[0]));
}

const unnamed = (what: string, property: "columns" | "contextColumns"): PushforwardError =>
  new PushforwardError(
    "ARGUMENT",
    `${what} has names, and the flow does not know the names of its features`,
    {
      expected: `flow.${property} = ["...", ...] before, or numbers without names`,
      received: "names",
    },
  );
