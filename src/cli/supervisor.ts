import { rmSync } from "node:fs";
import { constants } from "node:os";
import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import { PushforwardError } from "../check/index.ts";
import { mpiJob } from "../mpi/index.ts";
import type { CommandThreadData, FromCommandThread, Terminal, ToCommandThread } from "./commandThread.ts";
import { writeFailure } from "./failure.ts";
import type { StopMessage } from "./io.ts";
import { ERASE_LINE } from "./messages.ts";
import { program, programOf, setProgram } from "./program.ts";
import { asksForInformation, run } from "./run.ts";

/** After a signal, a command has this long to end and to remove its temporary files. Then the process is killed. */
const GRACE_MILLISECONDS = 1500;

/** The mpirun of Open MPI kills the processes of a job a tenth of a second after it has sent them a signal. */
const GRACE_MILLISECONDS_IN_JOB = 30;

const { stdout, stderr, env } = process;
const job = mpiJob(env);

/**
 * Runs a command line in a worker thread. The main thread is then always free to receive signals: whatever the command computes
 * or waits for, the process ends within two seconds after Ctrl-C, SIGTERM or SIGHUP, by that signal.
 */
export async function supervise(argv: readonly string[]): Promise<void> {
  setProgram(programOf(process));
  // The command continues if standard error is closed.
  stderr.on("error", () => {});
  if (asksForInformation(argv)) {
    stdout.on("error", handleOutputError);
    process.exitCode = await run(argv, { stdout, stderr, env, interrupted: new AbortController().signal });
    return;
  }

  const workerData: CommandThreadData = {
    module: new URL(`./commandThread${extname(import.meta.url)}`, import.meta.url).href,
    program: program(),
    argv,
    stdout: terminal(stdout),
    stderr: terminal(stderr),
  };
  const entry = new URL("./threadEntry.js", import.meta.url);
  // Without the option, Node warns of files that native code has closed. They need not be closed: the process ends with the thread.
  const options = { workerData, stdout: true, stderr: true, trackUnmanagedFds: false };
  const worker = new Worker(entry, options);
  const send = (message: ToCommandThread) => worker.postMessage(message);
  let code = 1;
  let received: NodeJS.Signals | undefined;
  let stopMessage: StopMessage = {
    what: "Stopped before the end; no file was written",
    hint: "Run the command again.",
  };

  worker.stdout.pipe(stdout, { end: false });
  worker.stderr.pipe(stderr, { end: false });
  worker.on("message", (message: FromCommandThread) => {
    if (message.type === "exit") code = message.code;
    else stopMessage = message;
  });
  worker.on("error", fail);
  worker.on("exit", () => {
    if (received && code === 130) endBy(received);
    process.exitCode = code;
  });

  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => {
      // A second signal ends the process at once. This is safe, because files are written atomically.
      if (received) endBy(signal, stopMessage.remove);
      received = signal;
      send({ type: "interrupt" });
      setTimeout(
        () => {
          const { what, hint, remove } = stopMessage;
          if ((job?.rank ?? 0) === 0) fail(new PushforwardError("INTERRUPTED", what, { hint }));
          endBy(signal, remove);
        },
        job ? GRACE_MILLISECONDS_IN_JOB : GRACE_MILLISECONDS,
      ).unref();
    });
  }
  process.on("SIGWINCH", () => send({ type: "resize", stdout: terminal(stdout), stderr: terminal(stderr) }));
  stdout.on("error", (error: NodeJS.ErrnoException) => {
    handleOutputError(error);
    worker.stdout.resume();
    send({ type: "readerGone" });
  });
  stderr.on("error", () => worker.stderr.resume());
}

const terminal = ({ isTTY, columns }: Terminal): Terminal => ({ isTTY, columns });

function fail(error: unknown): void {
  if (stderr.isTTY) stderr.write(ERASE_LINE);
  writeFailure(error, { stderr, env });
}

/** Ends the process if standard output cannot be written, unless its reader has closed the pipe. */
function handleOutputError(error: NodeJS.ErrnoException): void {
  if (error.code === "EPIPE") return;
  fail(
    new PushforwardError("FILE", `Cannot write to standard output (${error.message})`, {
      hint: "Fix the cause, and run the command again.",
      cause: error,
    }),
  );
  process.exit(1);
}

/** Ends the process by the default action of the signal. Destructors of native code, which could wait for its threads, do not run. */
function endBy(signal: NodeJS.Signals, remove: readonly string[] = []): never {
  for (const path of remove) rmSync(path, { force: true });
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
  // Reached only if the signal is blocked.
  process.exit(128 + constants.signals[signal]);
}
