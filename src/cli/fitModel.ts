import { checkWritable, shellQuoted, withFileLock, writeFileAtomically } from "../data/index.ts";
import { PushforwardError } from "../errors.ts";
import { encodeModel } from "../flows/index.ts";
import { inMemory } from "../train/rowStream.ts";
import { Checkpoints } from "./checkpoints.ts";
import { namingFile } from "./failure.ts";
import type { FitContext } from "./fit.ts";
import { doneEvent, fitReport, type Report } from "./fitReport.ts";
import { fitSettings, type Settings } from "./fitSettings.ts";
import { jsonLine } from "./format.ts";
import type { Io } from "./io.ts";
import { judge } from "./judgement.ts";
import { Messages } from "./messages.ts";
import { keepAside, type Parts, shareOut } from "./parts.ts";
import { drawPictures, prepareDirectory } from "./pictures.ts";
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
    throw io.interrupted.aborted ? interrupted(checkpoints, argv) : error;
  });
  const parts = keepAside(data.rows, settings);

  const progress = new TrainingProgress(io, messages, settings);
  const training = { ...data, ...parts, checkpoints, signal: io.interrupted, progress };
  const trained = await train(settings, training)
    .catch((error: unknown) => {
      if (io.interrupted.aborted) throw interrupted(checkpoints, argv);
      const paths = checkpoints.paths.map(shellQuoted).join(" ");
      const mend = `Give the same data and options to go on from it, or remove it to start anew: rm ${paths}`;
      throw namingFile(error, checkpoints.paths.join(", "), mend);
    })
    .finally(data.close);
  messages.end();
  if (io.interrupted.aborted) throw interrupted(checkpoints, argv);

  await writeFileAtomically(output, modelBytes(trained, data, parts, settings));
  const unfinished = trained.stopped === "time";
  if (!unfinished) await checkpoints.remove();
  const rows = { ...shareOut(parts, settings), test: parts.test };
  const { constants } = data;
  const judgement = await judge(trained.flow, rows, { threads, constants });
  const pictureData = {
    columns: data.columns,
    constants,
    rows: inMemory(data.rows),
    seed,
    threads,
    gaussian: judgement.validationGaussian,
  };
  const pictures = directory === undefined ? [] : await drawPictures(directory, trained, pictureData);
  const milliseconds = performance.now() - start;
  const report = { settings, data, rows, trained, judgement, pictures, milliseconds };
  return unfinished && checkpoints.paths.length > 0 ? { ...report, resume: resumeCommand(argv) } : report;
}

function modelBytes(
  { flow, epochs, bestEpoch, validationLogDensity }: Trained,
  { columns, given, labels }: TrainingData,
  { learned }: Parts,
  { seed }: Settings,
): Uint8Array {
  const record = { rows: learned.rows, seed, epochs: epochs.length, bestEpoch, validationLogDensity };
  const named = labels.size > 0 && { labels: [...labels.values()] };
  return encodeModel({ flow, columns, given, ...named, training: record });
}

function interrupted(checkpoints: Checkpoints, argv: readonly string[]): PushforwardError {
  const { paths } = checkpoints;
  return paths.length > 0
    ? new PushforwardError("INTERRUPTED", `Stopped; the last finished epoch is kept in ${paths.join(", ")}`, {
        mend: `To go on: ${resumeCommand(argv)}`,
      })
    : new PushforwardError(
        "INTERRUPTED",
        "Stopped before the first epoch was finished; no file was written",
        {
          mend: "Run the command again.",
        },
      );
}

function resumeCommand(argv: readonly string[]): string {
  const words = argv.filter((word) => word !== "--resume").map(shellQuoted);
  return `pushforward fit ${words.join(" ")} --resume`;
}
