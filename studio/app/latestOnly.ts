/**
 * A function that calls `compute` with its argument. While a call runs, only the latest of the arguments waits, so that figures keep up
 * with a reader who moves a slider. An error ends the calls.
 */
export function latestOnly<T>(compute: (argument: T) => Promise<void>): (argument: T) => Promise<void> {
  let waiting: { readonly argument: T } | undefined;
  let isRunning = false;
  return async (argument) => {
    waiting = { argument };
    if (isRunning) return;
    isRunning = true;
    try {
      while (waiting) {
        const next: { readonly argument: T } = waiting;
        waiting = undefined;
        await compute(next.argument);
      }
    } finally {
      isRunning = false;
    }
  };
}
