/**
 * The calls of the methods of an object that have not ended. A call can run several functions one after the other, so that the sessions of an
 * object may only be released when its calls have ended.
 */
export class ActiveCalls {
  readonly #calls = new Set<Promise<unknown>>();

  /** Starts a call. It is active until its result is settled. */
  run<T>(call: () => Promise<T>): Promise<T> {
    const result = call();
    const end = () => this.#calls.delete(result);
    this.#calls.add(result);
    result.then(end, end);
    return result;
  }

  /** Waits until the calls that are active now have ended, also those that fail. */
  async ended(): Promise<void> {
    await Promise.allSettled(this.#calls);
  }
}
