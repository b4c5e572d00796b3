import { brief, PushforwardError } from "../check/index.ts";

/** Throws `ARGUMENT` unless there are `size` different names. `what` is the subject of the error. */
export function checkDistinctNames(what: string, names: readonly string[], size: number): void {
  const areStrings = Array.isArray(names) && names.every((name) => typeof name === "string");
  if (areStrings && names.length === size && new Set(names).size === size) return;
  throw new PushforwardError("ARGUMENT", `${what} are not valid`, {
    expected: `${size} different names`,
    received: brief(names),
  });
}
