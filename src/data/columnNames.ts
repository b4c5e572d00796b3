import { PushforwardError } from "../errors.ts";

/** The time to read a table grows with the square of the number of columns, and is some seconds at this number. */
const MAX_COLUMNS = 10_000;

/**
 * Refuses names that DuckDB would change, since it takes upper and lower case for the same.
 *
 * @throws DATA when two columns have the same name, or there are more than 10,000.
 */
export function checkColumnNames(
  names: readonly string[],
  source: string,
  { hint, ordered = true }: { hint: string; ordered?: boolean },
): void {
  if (names.length > MAX_COLUMNS) {
    throw new PushforwardError("DATA", `${source} has too many columns`, {
      expected: `at most ${MAX_COLUMNS}`,
      received: String(names.length),
      hint: "Choose some of them in a query or another program, and write these to a file.",
    });
  }
  const seen = new Map<string, number>();
  for (const [index, name] of names.entries()) {
    const first = seen.get(name.toLowerCase());
    if (first !== undefined) {
      const both = names[first] === name ? `"${name}"` : `"${names[first]}" and "${name}"`;
      throw new PushforwardError("DATA", `Two columns of ${source} have the same name`, {
        expected: "names that differ, and not only in upper and lower case",
        received: ordered ? `${both} in columns ${first + 1} and ${index + 1}` : both,
        hint,
      });
    }
    seen.set(name.toLowerCase(), index);
  }
}
