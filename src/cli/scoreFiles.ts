import { dirname, join, relative, resolve } from "node:path";
import { counted, PushforwardError } from "../check/index.ts";
import { makeDirectory } from "../files/index.ts";
import { expandPatterns, isQuery, isStandardInput, scoreName, writeScored } from "../tables/io/index.ts";
import type { LoadedModel } from "../tables/model/index.ts";
import type { Io } from "./io.ts";
import { isInside } from "./isInside.ts";
import { Messages } from "./messages.ts";
import { columnsOfModel, type ScoringOptions, scoreSource } from "./scoring.ts";
import { reportWritten, tableOutput } from "./tableOutput.ts";

/**
 * Scores the files of a table one after the other. For each it writes a file of the same name to the directory `output`, in the same
 * sub-directories. So memory and temporary files do not grow with the number of files, and finished files remain if the command is
 * interrupted.
 *
 * @throws ARGUMENT for a query or standard input, and if a file would replace one that is read.
 */
export async function scoreFiles(
  loaded: LoadedModel,
  { output, ...values }: ScoringOptions & { readonly output: string },
  io: Io,
): Promise<void> {
  const notFile = values.data.find((source) => isQuery(source) || isStandardInput(source));
  if (notFile !== undefined) {
    throw new PushforwardError("ARGUMENT", `the output ${output} is a directory`, {
      expected: isQuery(notFile)
        ? "a file for the result of a query"
        : "a file for the rows of standard input",
      hint: "Give the name of a file: -o scored.parquet",
    });
  }
  const found = await expandPatterns(values.data, io.interrupted);
  // The same file may be named twice, such as a.csv and ./a.csv.
  const byPath = new Map(found.map((file) => [resolve(file), file]));
  const files = [...byPath.values()];
  const common = commonDirectory(files);
  const outputs = files.map((file) => join(output, relative(common, resolve(file))));
  for (const [i, path] of outputs.entries()) {
    const replaced = byPath.get(resolve(path));
    if (replaced !== undefined) {
      const scores = replaced === files[i] ? "its scores" : `the scores of ${files[i]}`;
      throw new PushforwardError("ARGUMENT", `${replaced} would be replaced by ${scores}`, {
        hint: "Write them to another directory.",
      });
    }
    await makeDirectory(dirname(path));
    await tableOutput(path, io);
  }
  const numeric = columnsOfModel(loaded);
  let total = 0;
  for (const [i, file] of files.entries()) {
    total += await scoreSource(loaded, { ...values, data: [file] }, io, async ({ table, scores }) => {
      await writeScored(table, scores, outputs[i]!, { numeric });
      reportWritten(`${counted(table.rows, "row")} with ${scoreName(table, numeric)}`, outputs[i]!, io);
      return table.rows;
    });
    io.onStopMessage?.({
      what: `Stopped; the files that were finished are in ${output}`,
      hint: "Run the command again.",
    });
  }
  new Messages(io).print(`Wrote ${counted(total, "row")} in ${counted(files.length, "file")}`);
}

/** The deepest directory that has all files below it. Throws `ARGUMENT` if there is none: on Windows, each drive has its own root. */
function commonDirectory(files: readonly string[]): string {
  const paths = files.map((file) => resolve(file));
  let directory = dirname(paths[0]!);
  while (!paths.every((path) => isInside(path, directory))) {
    const parent = dirname(directory);
    if (parent === directory) {
      throw new PushforwardError("ARGUMENT", "The files are on several drives", {
        expected: "files on one drive, because their directories are repeated below the output",
        hint: "Score the files of each drive by a command of their own.",
      });
    }
    directory = parent;
  }
  return directory;
}
