import type { Provider, Requests, TrainerCommand, TrainerEvent, WorkerRole } from "./messages.ts";
import { onWorkerFailure, RequestClient } from "./requests.ts";

/** Both workers run the same file, so that it is loaded once. */
const startWorker = (name: WorkerRole): Worker =>
  new Worker(new URL("./engine.worker.ts", import.meta.url), { type: "module", name });

/** The worker that trains. */
export class TrainerClient {
  private readonly worker = startWorker("trainer");

  constructor(provider: Provider, onEvent: (event: TrainerEvent) => void, onFailure: (error: Error) => void) {
    onWorkerFailure(this.worker, onFailure);
    this.worker.onmessage = ({ data }: MessageEvent<TrainerEvent>) => onEvent(data);
    this.send({ type: "prepare", provider });
  }

  send(command: TrainerCommand): void {
    this.worker.postMessage(command);
  }

  stop(): void {
    this.worker.onmessage = null;
    this.worker.terminate();
  }
}

/** Starts the worker that computes what the figures show. */
export const startViewer = () => new RequestClient<Requests>(startWorker("viewer"));
