import type { Dataset } from "../dataset/index.ts";
import { PushforwardError } from "../errors.ts";
import type { Labels } from "./labels.ts";

/** The error for the columns `names` of a table, all of which are constant. `received` has their values. */
export const constantError = (
  names: readonly string[],
  source: string,
  received: string,
  hint = "Give a column that varies.",
): PushforwardError => {
  const what =
    names.length === 1 ? `The column "${names[0]}" of ${source} is` : `All columns of ${source} are`;
  return new PushforwardError("DATA", `${what} constant`, {
    expected: "at least two different values",
    received,
    hint,
  });
};

/** The error for a column of the context that is constant, on which nothing can depend. */
export const constantContextError = (
  name: string,
  source: string,
  { value, rows }: { readonly value: number | string; readonly rows: number },
): PushforwardError =>
  constantError([name], source, `${value} in all ${rows} rows`, "Leave it out of --given.");

/** @throws DATA if a column of the context is constant. */
export function checkContext(
  { rows, constants }: Dataset,
  { given, labels }: { readonly given: readonly string[]; readonly labels: Labels },
  source: string,
): void {
  for (const [column, value] of constants.context) {
    const name = given[column]!;
    throw constantContextError(name, source, { value: labels.get(name)?.[value] ?? value, rows });
  }
}
