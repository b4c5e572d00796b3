/** The requests that a worker answers: for each name its arguments and its result. */
export type RequestMap<R> = { [K in keyof R]: { args: unknown; result: unknown } };

export type Request<R extends RequestMap<R>> = {
  [K in keyof R]: { readonly type: K; readonly id: number; readonly args: R[K]["args"] };
}[keyof R];

type Reply<R extends RequestMap<R>> =
  | { readonly type: "result"; readonly id: number; readonly result: R[keyof R]["result"] }
  | { readonly type: "error"; readonly id: number; readonly message: string };

export const CANNOT_LOAD = "A part of the page could not be loaded. Reload the page to try again.";

interface Pending {
  resolve(result: unknown): void;
  reject(error: Error): void;
}

/** Calls `act` if the file of a worker cannot be loaded, or if it throws outside of a request: then the worker answers no longer. */
export function onWorkerFailure(worker: Worker, act: (error: Error) => void): void {
  worker.onerror = ({ message }) => act(new Error(message || CANNOT_LOAD));
}

/** Sends requests to a worker that answers them by `requestHandler`. */
export class RequestClient<R extends RequestMap<R>> {
  private readonly worker: Worker;
  private readonly pending = new Map<number, Pending>();
  private requests = 0;
  private failure: Error | undefined;

  constructor(worker: Worker) {
    this.worker = worker;
    worker.onmessage = ({ data: reply }: MessageEvent<Reply<R>>) => {
      const request = this.pending.get(reply.id);
      this.pending.delete(reply.id);
      if (reply.type === "result") request?.resolve(reply.result);
      else request?.reject(new Error(reply.message));
    };
    onWorkerFailure(worker, (error) => {
      this.failure = error;
      for (const request of this.pending.values()) request.reject(error);
      this.pending.clear();
    });
  }

  request<K extends keyof R>(type: K, args: R[K]["args"]): Promise<R[K]["result"]> {
    if (this.failure) return Promise.reject(this.failure);
    const id = ++this.requests;
    return new Promise((resolve, reject) => {
      this.pending.set(id, { resolve, reject });
      this.worker.postMessage({ type, id, args });
    });
  }

  stop(): void {
    this.worker.terminate();
  }
}

export type Handlers<R extends RequestMap<R>> = {
  [K in keyof R]: (args: R[K]["args"]) => Promise<R[K]["result"]>;
};

/**
 * Answers the requests to a worker one after the other: a flow must not change while another request computes with it.
 */
export function requestHandler<R extends RequestMap<R>>(
  handlers: Handlers<R>,
): (request: Request<R>) => void {
  // A handler may throw before it returns a promise.
  const answer = async <K extends keyof R>(type: K, args: R[K]["args"]) => handlers[type](args);
  let queue: Promise<void> = Promise.resolve();
  return ({ type, id, args }) => {
    queue = queue.then(async () => {
      const reply = await answer(type, args).then(
        (result): Reply<R> => ({ type: "result", id, result }),
        (error: Error): Reply<R> => ({ type: "error", id, message: error.message }),
      );
      postMessage(reply);
    });
  };
}
