import { shellQuoted } from "../data/columnList.ts";
import { lockOf, withFileLock } from "../data/fileLock.ts";
import type { Dataset } from "../dataset/index.ts";
import { PushforwardError } from "../errors.ts";
import { checkWritable, writeFileAtomically } from "../files/atomicFile.ts";
import { encodeModel } from "../flows/index.ts";
import { Checkpoints } from "./checkpoints.ts";
import { contextRecord } from "./contextRecord.ts";
import { namingFile } from "./failure.ts";
import type { FitContext } from "./fit.ts";
import { doneEvent, fitReport, type Report } from "./fitReport.ts";
import { fitSettings, type Settings } from "./fitSettings.ts";
import { checkFlowSize } from "./flowSize.ts";
import { jsonLine } from "./format.ts";
import type { Io, StopMessage } from "./io.ts";
import { type HeldOut, judge } from "./judgement.ts";
import { Messages } from "./messages.ts";
import { drawPictures, prepareDirectory } from "./pictures.ts";
import { program } from "./program.ts";
import { type Trained, train } from "./training.ts";
import { readTrainingData, type TrainingData } from "./trainingData.ts";
import { TrainingProgress } from "./trainingProgress.ts";

/** Reads a table, trains a flow on it, and writes the model, the pictures and the report. */
export async function fitModel(
  { args, argv, io }: FitContext,
  { mostInMemory }: { mostInMemory?: number } = {},
): Promise<void> {
  const settings = fitSettings(args);
  const messages = new Messages(io);
  try {
    await checkWritable(settings.output);
    // Two trainings would write the same checkpoints.
    const report = await withFileLock(settings.output, () =>
      fitAndWrite(settings, argv, io, messages, mostInMemory),
    );
    io.stdout.write(settings.json ? jsonLine(doneEvent(report)) : fitReport(report, io));
  } finally {
    messages.end();
  }
}

async function fitAndWrite(
  settings: Settings,
  argv: readonly string[],
  io: Io,
  messages: Messages,
  mostInMemory?: number,
): Promise<Report> {
  const start = performance.now();
  const { output, pictures: directory, seed, threads } = settings;
  if (directory !== undefined) await prepareDirectory(directory);
  const checkpoints = await Checkpoints.open(settings, messages);
  const reading = readTrainingData(settings, messages, { mostInMemory, signal: io.interrupted });
  const data = await reading.catch((error: unknown) => {
    throw io.interrupted.aborted ? interrupted(stopMessage(checkpoints, argv)) : error;
  });
  checkFlowSize(settings.flow, { ...settings, features: data.columns.length, context: data.given.length });
  const rows = splitRows(data.rows, settings);
  await checkpoints.begin();
  const remove = [lockOf(output)];
  const stop = () => ({ ...stopMessage(checkpoints, argv), remove });
  io.onStopMessage?.(stop());

  const progress = new TrainingProgress(io, messages, settings);
  const training = {
    ...data,
    ...rows,
    checkpoints: (name?: string) => checkpoints.store(name, () => io.onStopMessage?.(stop())),
    signal: io.interrupted,
    progress,
  };
  const trained = await train(settings, training)
    .catch((error: unknown) => {
      throw io.interrupted.aborted ? interrupted(stop()) : explained(error, checkpoints, settings, argv);
    })
    .finally(data.close);
  messages.end();
  if (io.interrupted.aborted) throw interrupted(stop());

  await writeFileAtomically(output, modelBytes(trained, data, rows, settings));
  const unfinished = trained.stopped === "time";
  if (!unfinished) await checkpoints.remove();
  const written = {
    what: `Stopped before the report; the model is written to ${output}`,
    hint: `To see what it is: ${program()} inspect ${shellQuoted(output)}`,
    remove,
  };
  io.onStopMessage?.(written);
  const { constants } = data;
  const judgement = await judge(trained.flow, rows, { threads, constants });
  if (io.interrupted.aborted) throw interrupted(written);
  const pictureData = {
    columns: data.columns,
    constants,
    rows: data.rows.sample,
    seed,
    threads,
    gaussian: judgement.validationGaussian,
  };
  const pictures = directory === undefined ? [] : await drawPictures(directory, trained, pictureData);
  const milliseconds = performance.now() - start;
  const report = { settings, data, rows, trained, judgement, pictures, milliseconds };
  return unfinished && checkpoints.paths.length > 0 ? { ...report, resume: resumeCommand(argv) } : report;
}

/** Tables of fewer rows have no test rows by default. */
const MIN_ROWS_FOR_TEST = 200;

/** Splits rows at random: those to learn from, those that decide when to end, and those that test the finished model. */
function splitRows(all: Dataset, { seed, testFraction, validationFraction }: Settings): HeldOut {
  const fraction = testFraction ?? (all.rows >= MIN_ROWS_FOR_TEST ? 0.1 : 0);
  if (fraction === 0) return all.split(validationFraction, seed);
  const { training: others, validation: test } = all.split(fraction, seed);
  if (others.rows >= 2) return { ...others.split(validationFraction, seed), test };
  throw new PushforwardError("ARGUMENT", `--test-fraction ${fraction} leaves too little to learn from`, {
    expected: "2 rows or more",
    received: `${others.rows} of ${all.rows}`,
    hint: "Leave it out, or give a table with more rows.",
  });
}

function modelBytes(
  { flow, epochs, bestEpoch, validationLogDensity }: Trained,
  { columns, given, labels }: TrainingData,
  { training, validation }: HeldOut,
  { seed }: Settings,
): Uint8Array {
  const record = {
    rows: training.rows + validation.rows,
    seed,
    epochs: epochs.length,
    bestEpoch,
    validationLogDensity,
    ...(given.length > 0 && { given: contextRecord([training, validation], given, labels) }),
  };
  const named = labels.size > 0 && { labels: [...labels.values()] };
  return encodeModel({ flow, columns, given, ...named, training: record });
}

function stopMessage({ paths }: Checkpoints, argv: readonly string[]): StopMessage {
  return paths.length > 0
    ? {
        what: `Stopped; the training up to its last checkpoint is kept in ${paths.join(", ")}`,
        hint: `To go on: ${resumeCommand(argv)}`,
      }
    : {
        what: "Stopped before the first epoch was finished; no file was written",
        hint: "Run the command again.",
      };
}

const interrupted = ({ what, hint }: StopMessage): PushforwardError =>
  new PushforwardError("INTERRUPTED", what, { hint });

/** An error of training with what can be done about it here: a checkpoint stands in the way of a second try. */
function explained(
  error: unknown,
  { paths }: Checkpoints,
  { learningRate = 3e-3 }: Settings,
  argv: readonly string[],
): unknown {
  if (error instanceof PushforwardError && error.code === "NUMERIC") {
    const smaller = learningRate > 0.01 ? 1e-3 : Number((learningRate / 10).toPrecision(2));
    const words = `--learning-rate ${smaller}${paths.length > 0 ? " --overwrite" : ""}`;
    const what = error.message.split("\n")[0]!.replace(/\.$/, "");
    return new PushforwardError("NUMERIC", what, {
      hint: `Take smaller steps: ${fitCommand(argv, ["--learning-rate"])} ${words}. Or look at these rows: a value far from all others, or a column of few distinct values.`,
      cause: error,
    });
  }
  const hint =
    "Give the same data and options to go on from it, or discard it and start anew with --overwrite.";
  return namingFile(error, paths.join(", "), hint);
}

const resumeCommand = (argv: readonly string[]): string => `${fitCommand(argv)} --resume`;

/** The command again, without the options that say how to begin, and without those of `omitted`, which have values. */
function fitCommand(argv: readonly string[], omitted: readonly string[] = []): string {
  const words = argv.filter((word, i) => {
    const [name] = word.split("=", 1);
    return !START_OPTIONS.includes(word) && !omitted.includes(name!) && !omitted.includes(argv[i - 1]!);
  });
  return [program(), "fit", ...words.map(shellQuoted)].join(" ");
}

const START_OPTIONS = ["--resume", "--overwrite"];
