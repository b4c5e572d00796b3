import { abortSignal, numberFrom, type OptionRules } from "./options.ts";

/** Limits at which a long computation ends early with its result so far. */
export interface Limits {
  readonly signal?: AbortSignal | undefined;
  /** A time on the clock of `performance.now()`, in milliseconds. */
  readonly deadline?: number | undefined;
}

/** How `checkOptions` checks `Limits`. */
export const limitRules: OptionRules<Limits> = { signal: abortSignal, deadline: numberFrom(0) };

/** A computation may block its thread for this long before it lets the event loop handle other events, such as signals. */
const MAX_BLOCKING_MS = 50;

let lastYield = 0;

/** Whether a limit is reached. Long computations await this regularly, which also lets the event loop deliver signals. */
export async function limitReached({
  signal,
  deadline = Number.POSITIVE_INFINITY,
}: Limits): Promise<boolean> {
  if (performance.now() - lastYield > MAX_BLOCKING_MS) {
    await new Promise((resolve) => setTimeout(resolve));
    lastYield = performance.now();
  }
  return Boolean(signal?.aborted) || performance.now() > deadline;
}
