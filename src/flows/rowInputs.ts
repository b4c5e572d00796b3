import { brief, isPlainObject, PushforwardError } from "../check/index.ts";
import { type FlatRows, flatRows, type RowsInput } from "../dataset/index.ts";
import { areRunOptions } from "../runtime/index.ts";
import { contextError } from "./contextError.ts";
import type { Flow } from "./flow.ts";

/** Contexts in any form of `RowsInput`, or one context for all rows: C numbers, or an object of them by name. */
export type ContextInput = RowsInput | Readonly<Record<string, number>>;

/**
 * Copies rows of D numbers into one array.
 *
 * @throws ARGUMENT for rows with names if the flow has no `columns`; what `flatRows` throws.
 */
export function dataRows(what: string, input: RowsInput, flow: Flow): FlatRows {
  const { features, columns, acceptsMissing } = flow;
  if (!columns && hasNames(input)) throw namesWithoutColumns(what, "columns");
  return flatRows(input, { what, features, columns, acceptsMissing });
}

/**
 * Copies contexts of C numbers into one array. Returns undefined for an unconditional flow.
 *
 * @throws ARGUMENT for a context that is missing, for a context of an unconditional flow, and for the options of `method` in the
 *   position of the context; what `flatRows` throws.
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
  if (areRunOptions(names) && !columns?.includes(names[0])) {
    throw new PushforwardError("ARGUMENT", `${method} takes its options after the context`, {
      expected: features === 0 ? `${method}(rows, undefined, options)` : `${method}(rows, context, options)`,
      received: `an object with ${names.join(", ")} for the context`,
    });
  }
  if (features === 0)
    throw contextError(features, typeof length === "number" ? `an array of ${length}` : brief(input));
  const isOneContext =
    names.length > 0 && names.every((name) => typeof (input as Record<string, unknown>)[name] === "number");
  const rows = (isOneContext ? [input] : input) as RowsInput;
  if (!columns && hasNames(rows)) throw namesWithoutColumns("the context", "contextColumns");
  const flat = flatRows(rows, { what: "the context", features, columns });
  flow.embedding?.check(flat.values);
  return flat;
}

/** Whether rows are an array of objects or an object of columns. */
function hasNames(input: RowsInput): boolean {
  return isPlainObject(input) || (Array.isArray(input) && isPlainObject(input[0]));
}

const namesWithoutColumns = (what: string, property: "columns" | "contextColumns"): PushforwardError =>
  new PushforwardError("ARGUMENT", `${what} has names, but flow.${property} is not set`, {
    expected: `flow.${property} = ["...", ...] before the call, or numbers without names`,
    received: "names",
  });
