import type {
  RequestName,
  Requests,
  TrainerCommand,
  TrainerEvent,
  ViewerReply,
  ViewerRequest,
  WorkerRole,
} from "./messages.ts";

/** Both workers run the same file, so that it is loaded once. */
const startWorker = (name: WorkerRole): Worker =>
  new Worker(new URL("./engine.worker.ts", import.meta.url), { type: "module", name });

/** The worker that trains. */
export class TrainerClient {
  private readonly worker = startWorker("trainer");

  constructor(onEvent: (event: TrainerEvent) => void) {
    this.worker.onmessage = ({ data }: MessageEvent<TrainerEvent>) => onEvent(data);
  }

  send(command: TrainerCommand): void {
    this.worker.postMessage(command);
  }
}

interface Pending {
  resolve(result: Requests[RequestName]["result"]): void;
  reject(error: Error): void;
}

/** The worker that computes what the figures show. */
export class ViewerClient {
  private readonly worker = startWorker("viewer");
  private readonly pending = new Map<number, Pending>();
  private requests = 0;

  constructor() {
    this.worker.onmessage = ({ data: reply }: MessageEvent<ViewerReply>) => {
      const request = this.pending.get(reply.id)!;
      this.pending.delete(reply.id);
      if (reply.type === "result") request.resolve(reply.result);
      else request.reject(new Error(reply.message));
    };
  }

  request<K extends RequestName>(type: K, args: Requests[K]["args"]): Promise<Requests[K]["result"]> {
    const id = ++this.requests;
    return new Promise((resolve, reject) => {
      this.pending.set(id, { resolve: resolve as Pending["resolve"], reject });
      this.worker.postMessage({ type, id, args } as ViewerRequest);
    });
  }
}
