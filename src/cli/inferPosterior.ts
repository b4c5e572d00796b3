import { extname } from "node:path";
import { writeRows } from "../data/writeRows.ts";
import { PushforwardError } from "../errors.ts";
import { checkWritable, writeFileAtomically } from "../files/atomicFile.ts";
import { saveModel } from "../files/index.ts";
import { drawTable } from "../inference/draws.ts";
import { type InferProgress, infer } from "../inference/index.ts";
import { coordinateNames, elementNames } from "../inference/model.ts";
import { cornerFigure, svgToPng } from "../report/index.ts";
import { checkFigurePackages } from "../report/png.ts";
import { jsonLine } from "./format.ts";
import type { InferValues } from "./infer.ts";
import { inferReport, inferResult } from "./inferReport.ts";
import type { Io } from "./io.ts";
import { Messages } from "./messages.ts";
import { loadModelModule } from "./modelModule.ts";
import { tableOutput } from "./tableOutput.ts";

/** Runs a program, draws from the posterior of its model, and writes the flow, the draws, the picture and the report. */
export async function inferPosterior(values: InferValues, io: Io): Promise<void> {
  const { program, output, draws: drawsPath, corner, show, steps, drawsPerChain, threads, json } = values;
  const { refinement, chains, targetAcceptance, seed } = values;
  const start = performance.now();
  // A file that cannot be written is an error before the computation.
  await checkWritable(output);
  const destination = drawsPath === undefined ? undefined : await tableOutput(drawsPath, io);
  if (corner !== undefined) await checkPicture(corner);
  const model = await loadModelModule(program);
  const shown = show && checkedNames(show, elementNames(model.parameters));
  const messages = new Messages(io);
  try {
    const result = await infer(model, {
      ...{ refinement, chains, draws: drawsPerChain, targetAcceptance, seed },
      ...(threads !== undefined && { threads }),
      fit: { steps },
      onProgress: progressTo(messages, io),
    });
    messages.end();
    await saveModel(output, { flow: result.flow, columns: coordinateNames(model.parameters) });
    const table = drawTable(model.parameters, result.draws);
    if (destination !== undefined) await writeRows(table.columns, [table.rows], destination);
    if (corner !== undefined) {
      const { columns, rows } = table;
      const svg = await cornerFigure({ columns, draws: rows, ...(shown && { show: shown }) });
      await writeFileAtomically(corner, isSvg(corner) ? svg : await svgToPng(svg));
    }
    const files = { flow: output, draws: drawsPath, corner };
    const seconds = (performance.now() - start) / 1000;
    if (json) io.stdout.write(jsonLine(inferResult(result, files, seconds)));
    // The table of draws is not mixed with the report.
    else (typeof destination === "object" ? io.stderr : io.stdout).write(inferReport(result, files, io));
    await result.flow.release();
  } finally {
    messages.end();
  }
}

const isSvg = (path: string): boolean => extname(path).toLowerCase() === ".svg";

async function checkPicture(path: string): Promise<void> {
  if (![".png", ".svg"].includes(extname(path).toLowerCase())) {
    throw new PushforwardError("ARGUMENT", `No picture format belongs to the name ${path}`, {
      expected: "a name that ends in .png or .svg",
      hint: "Use a name with one of these endings.",
    });
  }
  await checkFigurePackages();
  await checkWritable(path);
}

/** The names to show. The name of a vector stands for the names of all its numbers. */
function checkedNames(show: readonly string[], names: readonly string[]): string[] {
  return show.flatMap((name) => {
    const found = names.filter((each) => each === name || each.startsWith(`${name}[`));
    if (found.length > 0) return found;
    throw new PushforwardError("ARGUMENT", "--show has a parameter that the model does not declare", {
      expected: names.join(", "),
      received: name,
      hint: `For example: --show ${names[0]}`,
    });
  });
}

/** Shows the progress of `infer`: a bar on a terminal, and a line for each stage elsewhere. */
function progressTo(messages: Messages, { stderr }: Io): (progress: InferProgress) => void {
  let stage = "";
  return (progress) => {
    const { fraction } = progress;
    const what = { pilot: "Finding the posterior", fit: "Fitting the flow", chains: "Running the chains" }[
      progress.stage
    ];
    if (stage !== progress.stage) {
      stage = progress.stage;
      if (!stderr.isTTY) messages.print(what);
    }
    const bound = progress.elbo === undefined ? "" : ` evidence lower bound ${progress.elbo.toFixed(2)} nats`;
    messages.progress(fraction, `${what} `, bound);
  };
}
