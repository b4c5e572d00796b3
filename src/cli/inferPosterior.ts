import { extname } from "node:path";
import { PushforwardError, withDecimals } from "../check/index.ts";
import { checkWritable, writeFileAtomically } from "../files/index.ts";
import type { Flow } from "../flows/index.ts";
import {
  coordinateNames,
  type Declarations,
  type Draws,
  drawTable,
  elementNames,
  type InferProgress,
  infer,
  inferSimulator,
  type ProbabilisticModel,
  type Simulator,
} from "../inference/index.ts";
import { saveModel } from "../open/index.ts";
import { checkFigurePackages, cornerFigure, svgToPng } from "../report/index.ts";
import { openTable, readRows, writeRows } from "../tables/io/index.ts";
import { engineOf } from "./engine.ts";
import { checkModelName } from "./fitOptions.ts";
import { jsonLine } from "./format.ts";
import type { InferValues } from "./infer.ts";
import { type Inferred, inferReport, inferResult, inferredModel, inferredSimulator } from "./inferReport.ts";
import type { Io } from "./io.ts";
import { Messages } from "./messages.ts";
import { isSimulator, loadModelModule } from "./modelModule.ts";
import { isStandardOutput, tableOutput, twoOnStandardOutput } from "./tableOutput.ts";

/** Runs a program, draws from the posterior of its model or simulator, and writes the flow, the draws, the picture and the report. */
export async function inferPosterior(values: InferValues, io: Io, words: readonly string[]): Promise<void> {
  const { program, output, draws: drawsPath, corner, show, json } = values;
  const start = performance.now();
  checkModelName(output, "the report is written there");
  if (show && corner === undefined) {
    throw new PushforwardError("ARGUMENT", "--show needs --corner", {
      hint: "Name the picture too: --corner corner.png",
    });
  }
  const areDrawsOnStdout = drawsPath !== undefined && isStandardOutput(drawsPath);
  if (areDrawsOnStdout && json) throw twoOnStandardOutput("the draws", "the summary", "--draws draws.csv");
  // All outputs are checked before the long computation.
  await checkWritable(output);
  const destination = drawsPath === undefined ? undefined : await tableOutput(drawsPath, io);
  if (corner !== undefined) await checkPicture(corner);
  const exported = await loadModelModule(program);
  const { parameters } = exported;
  checkOptions(words, isSimulator(exported), values.refinement);
  const shown = show && checkedNames(show, elementNames(parameters));
  const messages = new Messages(io);
  try {
    const running = isSimulator(exported)
      ? runSimulator(exported, values, messages, io)
      : runModel(exported, values, messages, io);
    const { inferred, draws, flow } = await running.catch((error: unknown) => {
      // The error of `infer` is about its option.
      throw io.interrupted.aborted ? interrupted("Stopped before the end; no file was written") : error;
    });
    messages.clearProgress();
    await saveModel(output, { flow, columns: coordinateNames(parameters) });
    const written = `Stopped before the report; the flow is written to ${output}`;
    io.onStopMessage?.({ what: written, hint: STOP_HINT });
    if (io.interrupted.aborted) throw interrupted(written);
    const table = drawTable(parameters, draws);
    if (destination !== undefined) await writeRows(table.columns, [table.rows], destination);
    if (corner !== undefined) {
      const { columns, rows } = table;
      const svg = await cornerFigure({ columns, draws: rows, ...(shown && { show: shown }) });
      await writeFileAtomically(corner, isSvg(corner) ? svg : await svgToPng(svg));
    }
    const files = { flow: output, draws: drawsPath, corner };
    const seconds = (performance.now() - start) / 1000;
    if (json) io.stdout.write(jsonLine(inferResult(inferred, files, seconds)));
    else {
      const destination = areDrawsOnStdout ? io.stderr : io.stdout;
      destination.write(inferReport(inferred, files, { ...io, stdout: destination }));
    }
    await flow.release();
  } finally {
    messages.clearProgress();
  }
}

const STOP_HINT = "Run the command again.";

const interrupted = (what: string): PushforwardError =>
  new PushforwardError("INTERRUPTED", what, { hint: STOP_HINT });

/** The result of a run, and what is written to files. */
interface Run {
  readonly inferred: Inferred;
  readonly draws: Draws<Declarations>;
  readonly flow: Flow;
}

async function runModel(
  model: ProbabilisticModel,
  { refinement, chains, drawsPerChain, targetAcceptance, seed, steps, ...values }: InferValues,
  messages: Messages,
  io: Io,
): Promise<Run> {
  const result = await infer(model, {
    ...{ refinement, chains, draws: drawsPerChain, targetAcceptance, seed },
    ...engineOf(values),
    fit: { steps },
    signal: io.interrupted,
    onProgress: progressTo(messages, io),
  });
  return { inferred: inferredModel(result), draws: result.draws, flow: result.flow };
}

async function runSimulator(
  simulator: Simulator,
  { observed, simulations, rounds, seed, ...values }: InferValues,
  messages: Messages,
  io: Io,
): Promise<Run> {
  if (observed === undefined) {
    throw new PushforwardError(
      "ARGUMENT",
      "The program exports a simulator, whose posterior needs an observation",
      {
        hint: "Name the table with the observation: --observed x.csv",
      },
    );
  }
  const observation = await readObservation(observed, io);
  const ofObservation = (error: unknown) =>
    error instanceof PushforwardError && error.code === "SHAPE"
      ? new PushforwardError("DATA", `${observed}: ${error.summary}`, {
          ...error,
          hint: "The numbers of the table, row by row, are one observation, as the simulator returns it.",
          cause: error,
        })
      : error;
  let stage = "";
  const result = await inferSimulator(simulator, observation, {
    ...{ simulations, rounds, seed },
    ...engineOf(values),
    signal: io.interrupted,
    onProgress({ member, members, best }) {
      const what = `Fitting flow ${member + 1} of ${members}`;
      if (what !== stage && !io.stderr.isTTY) messages.print(what);
      stage = what;
      messages.progress(member / members, `${what} `, ` held-out log-density ${withDecimals(best, 2)} nats`);
    },
  }).catch((error) => {
    throw ofObservation(error);
  });
  return { inferred: inferredSimulator(result), draws: result.draws, flow: result.posterior.flow };
}

/** The numbers of a table, row by row. */
async function readObservation(path: string, { interrupted }: Io): Promise<Float64Array> {
  const table = await openTable(path, { signal: interrupted });
  try {
    const { values } = await readRows(table, await table.numericColumns());
    return values;
  } finally {
    await table.close();
  }
}

/** The options that only models have, and those that only simulators have. */
const MODEL_OPTIONS = ["refinement", "steps", "chains", "draws-per-chain", "target-acceptance"];
const SIMULATOR_OPTIONS = ["observed", "simulations", "rounds"];
/** The options that only No-U-Turn chains have. */
const NUTS_OPTIONS = ["draws-per-chain", "target-acceptance"];

/** Throws `ARGUMENT` if the command line has an option that only the other kind of program, or another refinement, uses. */
function checkOptions(
  words: readonly string[],
  isOfSimulator: boolean,
  refinement: InferValues["refinement"],
): void {
  const given = words.map((word) => word.split("=")[0]!);
  const findGiven = (names: readonly string[]) => names.find((name) => given.includes(`--${name}`));
  const option = findGiven(isOfSimulator ? MODEL_OPTIONS : SIMULATOR_OPTIONS);
  if (option === undefined) {
    const ofNuts = refinement === "nuts" ? undefined : findGiven(NUTS_OPTIONS);
    if (ofNuts === undefined) return;
    throw new PushforwardError("ARGUMENT", `--${ofNuts} cannot be combined with --refinement ${refinement}`, {
      hint: "It is an option of No-U-Turn chains: leave one of them out.",
    });
  }
  const [kind, other] = isOfSimulator ? ["simulator", "model"] : ["model", "simulator"];
  throw new PushforwardError(
    "ARGUMENT",
    `--${option} is an option for a ${other}, but the program exports a ${kind}`,
    {
      hint: `Leave it out, or export a ${other}.`,
    },
  );
}

const isSvg = (path: string): boolean => extname(path).toLowerCase() === ".svg";

async function checkPicture(path: string): Promise<void> {
  if (![".png", ".svg"].includes(extname(path).toLowerCase())) {
    throw new PushforwardError("ARGUMENT", `No picture format belongs to the name ${path}`, {
      expected: "a name that ends in .png or .svg",
      hint: "Use a name with one of these extensions.",
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
    const bound =
      progress.elbo === undefined ? "" : ` evidence lower bound ${withDecimals(progress.elbo, 2)} nats`;
    messages.progress(fraction, `${what} `, bound);
  };
}
