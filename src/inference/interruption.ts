import { limitReached, PushforwardError } from "../check/index.ts";

/** Throws `INTERRUPTED` if the signal is aborted. Long computations await this regularly, which lets the event loop deliver the signal. */
export async function throwIfAborted(signal: AbortSignal | undefined): Promise<void> {
  if (!signal || !(await limitReached({ signal }))) return;
  throw new PushforwardError("INTERRUPTED", "the inference was stopped before its end", {
    hint: "The option signal was aborted. For a result, run it again and let it finish.",
  });
}

/** A signal that is aborted when one of these is; undefined if there is none. */
export function anySignal(...signals: readonly (AbortSignal | undefined)[]): AbortSignal | undefined {
  const defined = signals.filter((signal) => signal !== undefined);
  return defined.length > 1 ? AbortSignal.any(defined) : defined[0];
}
