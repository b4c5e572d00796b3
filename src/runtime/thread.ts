import type { InferenceSession } from "onnxruntime-common";
import { PushforwardError } from "../errors.ts";
import type { Precision } from "../onnx/export.ts";
import type { Floats } from "./compile.ts";

/** A graph as a worker thread gets it. Arrays are views of shared memory that both sides keep. */
export interface ThreadJob {
  readonly bytes: Uint8Array;
  readonly options: InferenceSession.SessionOptions;
  readonly precision: Precision;
  readonly inputs: readonly SharedArray[];
  readonly outputs: readonly SharedArray[];
}

export interface SharedArray {
  readonly name: string;
  readonly shared: Floats;
  readonly dims: readonly number[];
}

type Threads = typeof import("node:worker_threads");

const builtin = (globalThis as { process?: NodeJS.Process }).process?.getBuiltinModule;
/** Node's worker threads; undefined in a page, where the runtime has threads of its own. */
const module = builtin?.("node:worker_threads") as Threads | undefined;

export const hasWorkerThreads = module !== undefined;

/** Cores that rows can be shared among; 1 where there are no worker threads. */
export const cores = (): number => builtin?.("node:os").availableParallelism() ?? 1;

/** Words of the shared memory through which a thread is told to go, and tells that it is done. */
const [TURN, JOB, DONE, FAILED, WORDS] = [0, 1, 2, 3, 4];

let lastJob = 0;

/**
 * A worker thread that runs graphs when told. ONNX Runtime's `run` holds its calling thread and its own threads gain little
 * on small products, so rows are shared among threads with a session each. Turns go through shared memory, in microseconds:
 * a thread looks out for its next turn for a moment before it sleeps.
 */
export class Thread {
  private readonly worker: InstanceType<Threads["Worker"]>;
  private readonly control = new Int32Array(new SharedArrayBuffer(4 * WORDS));
  private turns = 0;

  constructor() {
    this.worker = new module!.Worker(new URL("./worker.js", import.meta.url), {
      workerData: { control: this.control },
      execArgv: [],
    });
    // A thread that waits for work must not keep the process alive.
    this.worker.unref();
  }

  /** Makes a session for a graph; gives the number to `start` it by. */
  async prepare(job: ThreadJob): Promise<number> {
    const number = ++lastJob;
    await this.mail({ job: number, ...job });
    return number;
  }

  /** Forgets a graph. */
  release(job: number): Promise<void> {
    return this.mail({ job });
  }

  /** Starts a turn: the thread reads its shared inputs, computes, and writes its shared outputs. */
  start(job: number): void {
    Atomics.store(this.control, JOB, job);
    Atomics.store(this.control, FAILED, 0);
    this.turns++;
    Atomics.add(this.control, TURN, 1);
    Atomics.notify(this.control, TURN);
  }

  /** Waits for the end of the turn. */
  async finish(): Promise<void> {
    const { control } = this;
    while (Atomics.load(control, DONE) < this.turns) Atomics.wait(control, DONE, this.turns - 1);
    if (Atomics.load(control, FAILED) === 1) await this.answer();
  }

  private async mail(message: object): Promise<void> {
    this.worker.postMessage(message);
    const answer = this.answer();
    this.start(0);
    await answer;
  }

  /** The thread's next message; an error if it has a text. */
  private async answer(): Promise<void> {
    const { worker } = this;
    worker.ref();
    const text = await new Promise<string | null>((resolve, reject) => {
      const settle = (then: () => void) => {
        worker.off("message", onMessage);
        worker.off("error", onError);
        worker.unref();
        then();
      };
      const onMessage = (text: string | null) => settle(() => resolve(text));
      const onError = (error: Error) => settle(() => reject(error));
      worker.on("message", onMessage);
      worker.on("error", onError);
    });
    if (text !== null)
      throw new PushforwardError("ENGINE", `ONNX Runtime failed in a worker thread: ${text}`);
  }
}

const threads: Thread[] = [];

/** The first `count` of the process's worker threads, started when first used. */
export function workerThreads(count: number): Thread[] {
  while (threads.length < count) threads.push(new Thread());
  return threads.slice(0, count);
}
