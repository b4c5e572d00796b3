import { PushforwardError } from "../../check/index.ts";
import type { Dataset } from "../../dataset/index.ts";
import type { Labels } from "./labels.ts";

/** The error if all columns to learn are constant, or one column of the context. `received` has the values of the columns `names`. */
export const constantError = (
  names: readonly string[],
  source: string,
  received: string,
  hint = "Give a column that varies.",
): PushforwardError => {
  const subject =
    names.length === 1 ? `The column "${names[0]}" of ${source} is` : `All columns of ${source} are`;
  return new PushforwardError("DATA", `${subject} constant`, {
    expected: "at least two different values",
    received,
    hint,
  });
};

/** The error for a constant column of the context: a density cannot depend on it. */
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
