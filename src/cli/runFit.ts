import { PushforwardError, shellQuoted } from "../check/index.ts";
import { checkWritable, lockPath, withFileLock, writeFileAtomically } from "../files/index.ts";
import { type CheckpointStore, OF_OTHER_TRAINING, type StopReason } from "../train/index.ts";
import { Checkpoints } from "./checkpoints.ts";
import { withPath } from "./failure.ts";
import { FitLog } from "./fitLog.ts";
import type { FitValues } from "./fitOptions.ts";
import { jsonLine } from "./format.ts";
import type { Io, StopMessage } from "./io.ts";
import { Messages } from "./messages.ts";
import { program } from "./program.ts";

/** What a training run needs from its command: its checkpoints, its interruption and its messages. */
export interface TrainingServices {
  /** Discards the checkpoints of an earlier training unless this one continues from them. */
  readonly discardOldCheckpoints: () => Promise<void>;
  readonly checkpoints: (name?: string) => CheckpointStore;
  readonly signal: AbortSignal;
  readonly messages: Messages;
  readonly log: FitLog | undefined;
  readonly io: Io;
}

/** A finished training. */
export interface Fitted {
  /** The model file. */
  readonly bytes: Uint8Array;
  readonly stopped: StopReason;
  /** Evaluates the model and draws pictures. Returns a text for people and the last event of `--json`. */
  report(run: FitRun): Promise<{ readonly text: string; readonly event: object }>;
}

/** The run of `pushforward fit` whose report is written. */
interface FitRun {
  /** Milliseconds since the beginning of the command. */
  elapsed(): number;
  /** The command that continues a training run that the time limit ended. */
  readonly resumeCommand: string | undefined;
  /** Throws INTERRUPTED after Ctrl-C. */
  throwIfInterrupted(): void;
}

/** An opened data set and the function that trains a model on it. */
interface TrainingJob {
  /** The end of the hint for a loss that is NaN. It says what to check in the data; the hint begins with the learning rate. */
  readonly dataHint?: string;
  train(services: TrainingServices): Promise<Fitted>;
  close(): Promise<void>;
}

/**
 * Opens data, trains a model on them, and writes the model and the report. In an MPI job only rank 0 writes files; the other ranks open
 * the same data and take part in the training.
 */
export async function runFit(
  values: FitValues,
  io: Io,
  words: readonly string[],
  open: (messages: Messages) => Promise<TrainingJob>,
): Promise<void> {
  const messages = new Messages(io);
  if (io.communicator && io.communicator.rank > 0) return trainOnOtherRank(io, messages, open);
  try {
    await checkWritable(values.output);
    // Two processes that train the same model would overwrite each other's checkpoints.
    const { text, event } = await withFileLock(values.output, () =>
      fitAndWrite(values, io, words, messages, open),
    );
    io.stdout.write(values.json ? jsonLine(event) : text);
  } finally {
    messages.clearProgress();
  }
}

/** Opens the same data as rank 0, and takes part in its training. */
async function trainOnOtherRank(
  io: Io,
  messages: Messages,
  open: (messages: Messages) => Promise<TrainingJob>,
): Promise<void> {
  const job = await open(messages);
  try {
    await job.train({
      discardOldCheckpoints: async () => {},
      checkpoints: () => ({ load: async () => undefined, save: async () => {} }),
      signal: io.interrupted,
      messages,
      log: undefined,
      io,
    });
    io.communicator?.finalize();
  } finally {
    await job.close();
  }
}

async function fitAndWrite(
  values: FitValues,
  io: Io,
  words: readonly string[],
  messages: Messages,
  open: (messages: Messages) => Promise<TrainingJob>,
): Promise<{ text: string; event: object }> {
  const start = performance.now();
  const { output } = values;
  const signal = io.interrupted;
  const checkpoints = await Checkpoints.open(values, messages);
  const remove = [lockPath(output)];
  const log =
    values.log === undefined ? undefined : new FitLog(values.log, { append: checkpoints.paths.length > 0 });
  const stopOf = () => stopMessage(checkpoints, values, words);
  const announceStop = () => io.onStopMessage?.({ ...stopOf(), remove });
  announceStop();
  const job = await open(messages).catch((error: unknown) => {
    throw signal.aborted ? interrupted(stopOf()) : error;
  });
  let fitted: Fitted;
  try {
    fitted = await job.train({
      discardOldCheckpoints: () => checkpoints.discardOld(),
      checkpoints: (name) => checkpoints.store(name, announceStop),
      signal,
      messages,
      log,
      io,
    });
    // The other ranks have nothing more to do.
    io.communicator?.finalize();
  } catch (error) {
    throw signal.aborted ? interrupted(stopOf()) : explained(error, checkpoints, values, words, job);
  } finally {
    await job.close();
  }
  messages.clearProgress();
  if (signal.aborted) throw interrupted(stopOf());

  await writeFileAtomically(output, fitted.bytes);
  const unfinished = fitted.stopped === "time";
  if (!unfinished) await checkpoints.remove();
  const written = {
    what: `Stopped before the report; the model is written to ${output}`,
    hint: `To see what it contains: ${program()} inspect ${shellQuoted(output)}`,
    remove,
  };
  io.onStopMessage?.(written);
  const report = await fitted.report({
    elapsed: () => performance.now() - start,
    resumeCommand: unfinished && checkpoints.paths.length > 0 ? resumeCommand(words) : undefined,
    throwIfInterrupted() {
      if (signal.aborted) throw interrupted(written);
    },
  });
  log?.write(report.event);
  return report;
}

function stopMessage(
  { paths }: Checkpoints,
  { contamination }: FitValues,
  words: readonly string[],
): StopMessage {
  if (paths.length > 0) {
    return {
      what: `Stopped; the last checkpoint of the training is in ${paths.join(", ")}`,
      hint: `To continue: ${resumeCommand(words)}`,
    };
  }
  const epoch =
    contamination === undefined
      ? "the first epoch"
      : "the first epoch of the second model (the first model, for --contamination, has no checkpoints)";
  return {
    what: `Stopped before ${epoch} was finished; no file was written`,
    hint: "Run the command again.",
  };
}

const interrupted = ({ what, hint }: StopMessage): PushforwardError =>
  new PushforwardError("INTERRUPTED", what, { hint });

/** An error of training with a hint for the command line. If there is a checkpoint, the suggested command discards it. */
function explained(
  error: unknown,
  { paths }: Checkpoints,
  { learningRate = 3e-3 }: FitValues,
  words: readonly string[],
  { dataHint }: TrainingJob,
): unknown {
  if (error instanceof PushforwardError && error.code === "NUMERIC") {
    const smaller = learningRate > 0.01 ? 1e-3 : Number((learningRate / 10).toPrecision(2));
    const options = ["--learning-rate", `${smaller}`, ...(paths.length > 0 ? ["--overwrite"] : [])];
    const what = error.what.replace(/\.$/, "");
    return new PushforwardError("NUMERIC", what, {
      hint: `Lower the learning rate: ${fitCommand(words, options, ["--learning-rate"])}.${dataHint ? ` ${dataHint}` : ""}`,
      cause: error,
    });
  }
  const isOfOtherTraining = error instanceof PushforwardError && error.what.startsWith(OF_OTHER_TRAINING);
  const hint = isOfOtherTraining
    ? "Give the same data and options to continue from it, or discard it and start again with --overwrite."
    : "The checkpoint is damaged: discard it and start again with --overwrite.";
  return withPath(error, paths.join(", "), hint);
}

const resumeCommand = (words: readonly string[]): string => fitCommand(words, ["--resume"]);

/**
 * The command of the user with other options, without --resume, without --overwrite, and without the options in `omitted` and their values. The
 * added options come first, because there is no option after `--`.
 */
function fitCommand(
  words: readonly string[],
  added: readonly string[],
  omitted: readonly string[] = [],
): string {
  const kept = words.filter((word, i) => {
    const [name] = word.split("=", 1);
    const isOmitted = omitted.includes(name!) || omitted.includes(words[i - 1]!);
    return !["--resume", "--overwrite"].includes(word) && !isOmitted;
  });
  return [program(), "fit", ...added, ...kept.map(shellQuoted)].join(" ");
}
