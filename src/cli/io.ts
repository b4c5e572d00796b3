import { Writable } from "node:stream";
import type { MpiCommunicator } from "../mpi/index.ts";

/** The streams, environment variables and signals of a command. Tests replace them. */
export interface Io {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborted by Ctrl-C. The command then ends soon and removes its temporary files. */
  readonly interrupted: AbortSignal;
  /** The processes of the MPI job that run the command together; undefined if there is no job. */
  readonly communicator?: MpiCommunicator;
  /** Receives progress as text, in place of a bar on standard error. */
  readonly onProgress?: (text: string) => void;
  /** Receives the message to print if the command does not end in time after a signal. */
  readonly onStopMessage?: (message: StopMessage) => void;
}

/** What to say and to do when a command is ended by a signal. */
export interface StopMessage {
  readonly what: string;
  readonly hint: string;
  /** Temporary files of the command to remove. */
  readonly remove?: readonly string[];
}

export type Output = NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };

/** A stream that discards what is written to it. */
export const nullStream = (): Writable => new Writable({ write: (_chunk, _encoding, done) => done() });

/** Whether to write colors: on a terminal, unless NO_COLOR (https://no-color.org) or TERM=dumb forbids them. */
export const supportsColor = ({ isTTY }: Output, env: Io["env"]): boolean =>
  Boolean(isTTY) && !env.NO_COLOR && env.TERM !== "dumb";

/** Resolves when the command is interrupted. */
export const interruption = ({ interrupted }: Pick<Io, "interrupted">): Promise<void> =>
  new Promise((resolve) => {
    if (interrupted.aborted) resolve();
    interrupted.addEventListener("abort", () => resolve(), { once: true });
  });
