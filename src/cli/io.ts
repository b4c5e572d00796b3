/** What a command sees of the world around it; tests give their own. */
export interface Io {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborted by Ctrl-C: a command then ends soon, and cleans up behind itself. */
  readonly interrupted: AbortSignal;
  /** Receives the message to print if the command does not end in time after a signal: what is kept, and how to go on. */
  readonly onStopMessage?: (message: StopMessage) => void;
}

export interface StopMessage {
  readonly what: string;
  readonly hint: string;
  /** Files of the command to be removed if it is ended so. */
  readonly remove?: readonly string[];
}

export type Output = NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };

/** Whether colours suit an output: on a terminal, unless NO_COLOR (https://no-color.org) or TERM=dumb asks for none. */
export const colorful = ({ isTTY }: Output, env: Io["env"]): boolean =>
  Boolean(isTTY) && !env.NO_COLOR && env.TERM !== "dumb";
