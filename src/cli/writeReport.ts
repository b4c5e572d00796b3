import { basename } from "node:path";
import { createColors } from "picocolors";
import { PushforwardError } from "../check/index.ts";
import { checkWritable, writeFileAtomically } from "../files/index.ts";
import { checkDrawingPackages, reportPage } from "../report/index.ts";
import { type ReportOptions, report as reportOf } from "../tables/evaluate/index.ts";
import { openTable } from "../tables/io/index.ts";
import { type EngineValues, engineOf } from "./engine.ts";
import { jsonLine, singleLine } from "./format.ts";
import { type Io, supportsColor } from "./io.ts";
import { unknownColumn } from "./knownValues.ts";
import { Messages } from "./messages.ts";
import { readModel } from "./model.ts";
import type { ReadOptions } from "./options.ts";
import { reportRows, tableModelOf } from "./reportRows.ts";
import { isStandardOutput, twoOnStandardOutput } from "./tableOutput.ts";

interface Values extends ReadOptions, EngineValues {
  readonly model: string;
  readonly data: readonly string[];
  readonly output: string | undefined;
  readonly target: string | undefined;
  readonly rows: number;
  readonly seed: number;
  readonly json: boolean;
}

/** Tests a model on rows of a table, writes the report, and prints its findings or its numbers. */
export async function writeReport(values: Values, io: Io): Promise<void> {
  const { model: path, data, json, na, decimal, delimiter, seed, target, rows: maxRows } = values;
  const engine = engineOf(values);
  const output = values.output ?? (json ? undefined : "report.html");
  const isPageOnStdout = output !== undefined && isStandardOutput(output);
  if (isPageOnStdout && json) throw twoOnStandardOutput("the page", "the numbers", "-o report.html");
  if (output !== undefined) {
    if (!isPageOnStdout) checkPageName(output);
    // Missing packages and a path that is not writable are reported before the long computation.
    await checkDrawingPackages();
    if (!isPageOnStdout) await checkWritable(output);
  }
  const loaded = await readModel(path);
  const model = tableModelOf(loaded, path);
  const names = model.columns.map(({ name }) => name);
  if (target !== undefined && !names.includes(target))
    throw unknownColumn(target, names, { hint: "Correct the name." });
  const messages = new Messages(io);
  const table = await openTable(data, { na, decimal, delimiter, signal: io.interrupted });
  try {
    const { about, ...rows } = await reportRows(model, loaded.training, table, values);
    const options: ReportOptions = {
      maxRows,
      seed,
      target,
      ...engine,
      onPart(name, part, parts) {
        if (io.interrupted.aborted)
          throw new PushforwardError("INTERRUPTED", "Stopped; no report was written", {
            hint: "Run the command again.",
          });
        messages.progress(part / parts, "", ` ${name}`);
      },
    };
    const result = await reportOf(model, rows, options);
    messages.clearProgress();
    if (output !== undefined) {
      const { columns } = model;
      const title = `Report on ${basename(path)}`;
      const html = await reportPage({ ...result, title, columns, about, training: loaded.training });
      if (isPageOnStdout) io.stdout.write(html);
      else await writeFileAtomically(output, new TextEncoder().encode(html));
    }
    if (json) io.stdout.write(jsonLine({ about, ...result.numbers }));
    else {
      const destination = isPageOnStdout ? io.stderr : io.stdout;
      destination.write(summary(result.numbers.findings, about, output!, { ...io, stdout: destination }));
    }
  } finally {
    messages.clearProgress();
    await table.close();
    await model.release();
  }
}

/** Throws `ARGUMENT` unless the name is that of an HTML file, because the file that it replaces may be a table or a model. */
function checkPageName(output: string): void {
  if (/\.html?$/i.test(output)) return;
  throw new PushforwardError("ARGUMENT", `${output} is not the name of a page`, {
    expected: "a name that ends in .html",
    hint: "For example: -o report.html",
  });
}

function summary(
  findings: Awaited<ReturnType<typeof reportOf>>["numbers"]["findings"],
  about: readonly string[],
  output: string,
  { stdout, env }: Io,
): string {
  const { bold, green, red, yellow } = createColors(supportsColor(stdout, env));
  const words = { failed: red("failed   "), uncertain: yellow("uncertain"), passed: green("passed   ") };
  return [
    ...findings.map(({ kind, text }) => `${words[kind]}  ${singleLine(text)}`),
    "",
    ...about.map((text) => singleLine(text)),
    `${bold("Report")}    ${singleLine(output)}`,
    "",
  ].join("\n");
}
