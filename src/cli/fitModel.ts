import { shellQuoted } from "../data/columnList.ts";
import { lockPath, withFileLock } from "../data/fileLock.ts";
import { readTrainingTable, type TrainingTable } from "../data/index.ts";
import type { Dataset } from "../dataset/index.ts";
import { PushforwardError } from "../errors.ts";
import { evaluate, gaussianBaseline, independentBaseline, summarizeContext } from "../evaluate/index.ts";
import { checkWritable, writeFileAtomically } from "../files/atomicFile.ts";
import { encodeModel } from "../flows/index.ts";
import { Checkpoints } from "./checkpoints.ts";
import { withPath } from "./failure.ts";
import type { FitValues } from "./fitOptions.ts";
import { doneEvent, fitReport, type HeldOutEvaluation, type Report, type RowParts } from "./fitReport.ts";
import { jsonLine } from "./format.ts";
import type { Io, StopMessage } from "./io.ts";
import { Messages } from "./messages.ts";
import { makeDirectory, writePictures } from "./pictures.ts";
import { program } from "./program.ts";
import { statedKinds } from "./statedKinds.ts";
import { printNotes } from "./tableNotes.ts";
import { checkFlowSize, type Trained, train } from "./training.ts";
import { TrainingProgress } from "./trainingProgress.ts";

/** Reads a table, trains a flow on it, and writes the model, the pictures and the report. */
export async function fitModel(
  values: FitValues,
  io: Io,
  words: readonly string[],
  { maxNumbersInMemory }: { maxNumbersInMemory?: number } = {},
): Promise<void> {
  const messages = new Messages(io);
  try {
    await checkWritable(values.output);
    // Two trainings at the same time would write the same checkpoints.
    const report = await withFileLock(values.output, () =>
      fitAndWrite(values, io, words, messages, maxNumbersInMemory),
    );
    io.stdout.write(values.json ? jsonLine(doneEvent(report)) : fitReport(report, io));
  } finally {
    messages.end();
  }
}

async function fitAndWrite(
  values: FitValues,
  io: Io,
  words: readonly string[],
  messages: Messages,
  maxNumbersInMemory?: number,
): Promise<Report> {
  const start = performance.now();
  const { output, pictures: directory, threads } = values;
  const signal = io.interrupted;
  if (directory !== undefined) await makeDirectory(directory);
  const checkpoints = await Checkpoints.open(values, messages);
  const remove = [lockPath(output)];
  const announceStop = () => io.onStopMessage?.({ ...stopMessage(checkpoints, words), remove });
  announceStop();
  const reading = readTrainingTable(values.data, {
    ...values,
    ...(values.flow !== "cnf" && { kinds: await statedKinds(values) }),
    onlyIfMixed: values.flow !== "default",
    hasAtoms: values.flow === "default",
    signal,
    ...(maxNumbersInMemory !== undefined && { maxNumbersInMemory }),
  });
  const table = await reading.catch((error: unknown) => {
    throw signal.aborted ? interrupted(stopMessage(checkpoints, words)) : error;
  });
  let rows: RowParts;
  let trained: Trained;
  try {
    printNotes(table, messages);
    checkFlowSize(values, table);
    rows = splitRows(table.rows, values);
    await checkpoints.begin();
    trained = await train(values, table, rows, {
      checkpoints: (name) => checkpoints.store(name, announceStop),
      signal,
      progress: new TrainingProgress(io, messages, values),
      messages,
    });
  } catch (error) {
    throw signal.aborted
      ? interrupted(stopMessage(checkpoints, words))
      : explained(error, checkpoints, values, words);
  } finally {
    await table.close();
  }
  messages.end();
  if (signal.aborted) throw interrupted(stopMessage(checkpoints, words));

  await writeFileAtomically(output, modelBytes(trained, table, rows, values));
  const unfinished = trained.stopped === "time";
  if (!unfinished) await checkpoints.remove();
  const written = {
    what: `Stopped before the report; the model is written to ${output}`,
    hint: `To see what it contains: ${program()} inspect ${shellQuoted(output)}`,
    remove,
  };
  io.onStopMessage?.(written);
  const evaluation = await evaluateHeldOut(trained, table, rows, threads);
  if (signal.aborted) throw interrupted(written);
  const pictures =
    directory === undefined ? [] : await writePictures(directory, trained, table, values, evaluation);
  const milliseconds = performance.now() - start;
  const resume = unfinished && checkpoints.paths.length > 0 ? resumeCommand(words) : undefined;
  return { values, table, rows, trained, evaluation, pictures, milliseconds, resume };
}

/** Smaller tables have no test rows by default. */
const MIN_ROWS_FOR_TEST = 200;

/** Splits rows at random into training, validation and test rows. */
function splitRows(all: Dataset, { seed, testFraction, validationFraction }: FitValues): RowParts {
  const fraction = testFraction ?? (all.rows >= MIN_ROWS_FOR_TEST ? 0.1 : 0);
  if (fraction === 0) return all.split(validationFraction, seed);
  const { training: others, validation: test } = all.split(fraction, seed);
  if (others.rows >= 2) return { ...others.split(validationFraction, seed), test };
  throw new PushforwardError("ARGUMENT", `--test-fraction ${fraction} leaves too few rows to learn from`, {
    expected: "2 rows or more",
    received: `${others.rows} of ${all.rows}`,
    hint: "Leave it out, or give a table with more rows.",
  });
}

/** Evaluates the flow on the test rows, or without these on the validation rows, and a Gaussian for comparison. */
async function evaluateHeldOut(
  { flow }: Trained,
  { constants, table }: TrainingTable,
  { training, validation, test }: RowParts,
  threads: number | undefined,
): Promise<HeldOutEvaluation> {
  const isMixed =
    table?.some(({ kind, gaps }) => gaps || !["continuous", "constant"].includes(kind)) ?? false;
  const baseline = isMixed
    ? await independentBaseline(table!, training, { threads, hasAtoms: !flow.isBound })
    : await gaussianBaseline(training, { embedding: flow.embedding, constants, threads });
  const result = await evaluate(flow, test ?? validation, { baseline, threads });
  const mean = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const onValidation = test
    ? baseline && mean(await baseline.logDensities(validation))
    : result.baseline?.mean;
  return { ...result, isMixed, by: test ? "test" : "validation", baselineOnValidation: onValidation };
}

function modelBytes(
  { flow, epochs, bestEpoch, validationLogDensity, members }: Trained,
  { columns, table, given, labels }: TrainingTable,
  { training, validation }: RowParts,
  { seed }: FitValues,
): Uint8Array {
  const record = {
    rows: training.rows + validation.rows,
    seed,
    epochs: epochs.length,
    bestEpoch,
    validationLogDensity,
    ...(members && {
      members: members.map(({ name, weight, validationLogDensity }) => ({
        name,
        weight,
        validationLogDensity,
      })),
    }),
    ...(given.length > 0 && { given: summarizeContext([training, validation], given, labels) }),
  };
  const classLabels = labels.size > 0 && { labels: [...labels.values()] };
  return encodeModel({ flow, columns, ...(table && { table }), given, ...classLabels, training: record });
}

function stopMessage({ paths }: Checkpoints, words: readonly string[]): StopMessage {
  return paths.length > 0
    ? {
        what: `Stopped; the last checkpoint of the training is in ${paths.join(", ")}`,
        hint: `To continue: ${resumeCommand(words)}`,
      }
    : {
        what: "Stopped before the first epoch was finished; no file was written",
        hint: "Run the command again.",
      };
}

const interrupted = ({ what, hint }: StopMessage): PushforwardError =>
  new PushforwardError("INTERRUPTED", what, { hint });

/** An error of training with a hint for the command line. A second try must discard the checkpoint of the first. */
function explained(
  error: unknown,
  { paths }: Checkpoints,
  { learningRate = 3e-3 }: FitValues,
  words: readonly string[],
): unknown {
  if (error instanceof PushforwardError && error.code === "NUMERIC") {
    const smaller = learningRate > 0.01 ? 1e-3 : Number((learningRate / 10).toPrecision(2));
    const options = `--learning-rate ${smaller}${paths.length > 0 ? " --overwrite" : ""}`;
    const what = error.what.replace(/\.$/, "");
    return new PushforwardError("NUMERIC", what, {
      hint: `Lower the learning rate: ${fitCommand(words, ["--learning-rate"])} ${options}. Or check these rows for a value far from all others, and for columns with few different values.`,
      cause: error,
    });
  }
  const hint =
    "Give the same data and options to continue from it, or discard it and start again with --overwrite.";
  return withPath(error, paths.join(", "), hint);
}

const resumeCommand = (words: readonly string[]): string => `${fitCommand(words)} --resume`;

/** The command that was typed, without --resume and --overwrite, and without the options `omitted`, which take values. */
function fitCommand(words: readonly string[], omitted: readonly string[] = []): string {
  const kept = words.filter((word, i) => {
    const [name] = word.split("=", 1);
    const isOmitted = omitted.includes(name!) || omitted.includes(words[i - 1]!);
    return !["--resume", "--overwrite"].includes(word) && !isOmitted;
  });
  return [program(), "fit", ...kept.map(shellQuoted)].join(" ");
}
