import { PushforwardError } from "../../check/index.ts";

/** At most this many requests wait for a model. More would wait longer than clients do. */
export const MAX_WAITING = 1024;

/** The error if too many requests wait for a model. */
export class BusyError extends Error {}

/** Runs calls of a model one after the other, so that many requests do not need memory at the same time. */
export class CallQueue {
  private waiting = 0;
  private last: Promise<unknown> = Promise.resolve();

  /**
   * Makes a call after all earlier ones, and returns its result. If the signal is aborted before the call starts, it is not made, and the
   * promise is rejected.
   *
   * @throws BusyError if too many calls wait.
   */
  run<T>(call: () => Promise<T>, signal: AbortSignal): Promise<T> {
    if (this.waiting >= MAX_WAITING) throw new BusyError();
    this.waiting++;
    const result = this.last.then(() => {
      this.waiting--;
      if (signal.aborted) throw clientGone();
      return call();
    });
    this.last = result.catch(() => {});
    return result;
  }
}

/** The error for a request whose client does not wait for the answer. */
export const clientGone = (): PushforwardError =>
  new PushforwardError("INTERRUPTED", "the client has closed the connection");
