import { parentPort, workerData } from "node:worker_threads";
import type { Io, Output, StopMessage } from "./io.ts";
import { setProgram } from "./program.ts";
import { run } from "./run.ts";

/** What a terminal is like; outputs that are none have neither. */
export interface Terminal {
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** What the thread is started with. */
export interface CommandThreadData {
  /** The address of this file. */
  readonly module: string;
  /** What `program()` gives. */
  readonly program: string;
  readonly argv: readonly string[];
  readonly stdout: Terminal;
  readonly stderr: Terminal;
}

/** What the thread is told. */
export type ToCommandThread =
  | { readonly type: "interrupt" }
  /** Nobody reads standard output any more. */
  | { readonly type: "readerGone" }
  | { readonly type: "resize"; readonly stdout: Terminal; readonly stderr: Terminal };

/** What the thread tells: its exit code, or what to print if it has to be ended before. */
export type FromCommandThread =
  | { readonly type: "exit"; readonly code: number }
  | ({ readonly type: "stopMessage" } & StopMessage);

/** Runs the command line that the main thread gives, and tells it the exit code. */
export async function runCommandThread(): Promise<void> {
  const { argv, program, ...terminals } = workerData as CommandThreadData;
  setProgram(program);
  const port = parentPort!;
  const tell = (message: FromCommandThread) => port.postMessage(message);
  const interruption = new AbortController();
  const stdout: Output = Object.assign(process.stdout, terminals.stdout);
  const stderr: Output = Object.assign(process.stderr, terminals.stderr);
  // Writing to nobody is no failure of the command: training goes on, and writes its model.
  process.stdout.on("error", () => {});
  port.on("message", (message: ToCommandThread) => {
    if (message.type === "interrupt") interruption.abort();
    else if (message.type === "readerGone") process.stdout.destroy(brokenPipe());
    else {
      Object.assign(stdout, message.stdout);
      Object.assign(stderr, message.stderr);
    }
  });
  // The thread ends when the command has ended.
  port.unref();
  const io: Io = {
    stdout,
    stderr,
    env: process.env,
    interrupted: interruption.signal,
    onStopMessage: (message) => tell({ type: "stopMessage", ...message }),
  };
  tell({ type: "exit", code: await run(argv, io) });
}

const brokenPipe = () => Object.assign(new Error("the reader has gone away"), { code: "EPIPE" });
