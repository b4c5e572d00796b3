/** When work that takes long has to end before its time, with what it has by then. */
export interface Limits {
  readonly signal?: AbortSignal;
  /** In the time of `performance.now()`. */
  readonly deadline?: number;
}

/** So many milliseconds go by at most before other things, such as signals, have their turn. */
const BREATH = 50;

let breathed = 0;

/** Whether a limit is reached. Work that holds its thread awaits it now and then: else no signal could arrive. */
export async function limitReached({
  signal,
  deadline = Number.POSITIVE_INFINITY,
}: Limits): Promise<boolean> {
  if (performance.now() - breathed > BREATH) {
    await new Promise((resolve) => setTimeout(resolve));
    breathed = performance.now();
  }
  return Boolean(signal?.aborted) || performance.now() > deadline;
}
