import { parentPort, workerData } from "node:worker_threads";
import type { Io, Output, StopMessage } from "./io.ts";
import { setProgram } from "./program.ts";
import { run } from "./run.ts";

/** The properties of an output that is a terminal; other outputs have none. */
export interface Terminal {
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** The `workerData` of the thread. */
export interface CommandThreadData {
  /** The address of this file. */
  readonly module: string;
  /** The result of `program()`. */
  readonly program: string;
  readonly argv: readonly string[];
  readonly stdout: Terminal;
  readonly stderr: Terminal;
}

/** Messages to the thread. */
export type ToCommandThread =
  | { readonly type: "interrupt" }
  /** The reader of standard output has closed it. */
  | { readonly type: "readerGone" }
  | { readonly type: "resize"; readonly stdout: Terminal; readonly stderr: Terminal };

/** Messages from the thread: its exit code, or what to print and which files to remove if a signal ends it early. */
export type FromCommandThread =
  | { readonly type: "exit"; readonly code: number }
  | ({ readonly type: "stopMessage" } & StopMessage);

/** Runs a command line for the main thread, and sends it the exit code. */
export async function runCommandThread(): Promise<void> {
  const { argv, program, ...terminals } = workerData as CommandThreadData;
  setProgram(program);
  const port = parentPort!;
  const send = (message: FromCommandThread) => port.postMessage(message);
  const interruption = new AbortController();
  const stdout: Output = Object.assign(process.stdout, terminals.stdout);
  const stderr: Output = Object.assign(process.stderr, terminals.stderr);
  // If the reader of standard output closes it, the command still succeeds: training continues and writes its model.
  process.stdout.on("error", () => {});
  port.on("message", (message: ToCommandThread) => {
    if (message.type === "interrupt") interruption.abort();
    else if (message.type === "readerGone") process.stdout.destroy(brokenPipe());
    else {
      Object.assign(stdout, message.stdout);
      Object.assign(stderr, message.stderr);
    }
  });
  // The thread ends when the command has ended, although the port is open.
  port.unref();
  const io: Io = {
    stdout,
    stderr,
    env: process.env,
    interrupted: interruption.signal,
    onStopMessage: (message) => send({ type: "stopMessage", ...message }),
  };
  send({ type: "exit", code: await run(argv, io) });
}

const brokenPipe = () => Object.assign(new Error("the reader has closed the pipe"), { code: "EPIPE" });
