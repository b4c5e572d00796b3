/**
 * Returns a function that calls `compute`, one call at a time. If it is called while `compute` runs, only the latest argument is kept, and
 * computed next, so that figures keep up with a slider. Rejects if `compute` does.
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
