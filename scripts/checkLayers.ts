/** Prints every import of `src` that breaks a rule of layers.json, and exits with 1 if there is one. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { problemsIn, root, sourceFiles } from "./layers.ts";

const problems = sourceFiles().flatMap((file) =>
  problemsIn(file, readFileSync(join(root, "src", file), "utf8")).map(
    ({ line, specifier, problem }) => `src/${file}:${line}: "${specifier}": ${problem}`,
  ),
);
for (const problem of problems) console.error(problem);
process.exitCode = problems.length > 0 ? 1 : 0;
