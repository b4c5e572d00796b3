import { PushforwardError } from "../../check/index.ts";

/** The time to read a table grows with the square of the number of columns; with this number it takes some seconds. */
const MAX_COLUMNS = 10_000;

/**
 * Checks that the names of columns differ in more than case: DuckDB's names are not case-sensitive, so it would rename such
 * columns. If `ordered`, the error has the positions of the columns.
 *
 * @throws DATA if two columns have the same name, or there are more than 10,000.
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
      hint: "Write a file with fewer columns, in a query or another program.",
    });
  }
  const seen = new Map<string, number>();
  for (const [index, name] of names.entries()) {
    const first = seen.get(name.toLowerCase());
    if (first !== undefined) {
      const duplicates = names[first] === name ? `"${name}"` : `"${names[first]}" and "${name}"`;
      throw new PushforwardError("DATA", `Two columns of ${source} have the same name`, {
        expected: "names that differ in more than upper and lower case",
        received: ordered ? `${duplicates} in columns ${first + 1} and ${index + 1}` : duplicates,
        hint,
      });
    }
    seen.set(name.toLowerCase(), index);
  }
}
