import { PushforwardError } from "../check/index.ts";
import type { Dataset } from "./dataset.ts";

/** The expected numbers of columns and their names; undefined if anything is allowed. */
export interface ExpectedColumns {
  readonly features?: number | undefined;
  readonly contextFeatures?: number | undefined;
  readonly columns?: readonly string[] | undefined;
  readonly contextColumns?: readonly string[] | undefined;
}

/**
 * Throws `SHAPE` if a dataset has another number of features or context features than expected, and `DATA` if both have names of columns
 * that differ, in their order too. Messages call the dataset `rows`, and what it is for `owner`.
 */
export function checkColumns(
  data: Dataset,
  expected: ExpectedColumns,
  { rows, owner, contextHint }: { rows: string; owner: string; contextHint?: string },
): void {
  for (const [name, what] of [
    ["features", "features"],
    ["contextFeatures", "context features"],
  ] as const) {
    const expectedValue = expected[name];
    if (expectedValue === undefined || data[name] === expectedValue) continue;
    throw new PushforwardError("SHAPE", `the ${rows} have a different number of ${what} from ${owner}`, {
      expected: `${expectedValue}`,
      received: `${data[name]}`,
      ...(name === "contextFeatures" && expectedValue > 0 && contextHint && { hint: contextHint }),
    });
  }
  for (const name of ["columns", "contextColumns"] as const) {
    const [expectedNames, names] = [expected[name], data[name]];
    if (!expectedNames || !names || expectedNames.join() === names.join()) continue;
    throw new PushforwardError("DATA", `the ${name} of the ${rows} are not those of ${owner}`, {
      expected: expectedNames.join(", "),
      received: names.join(", "),
    });
  }
}
