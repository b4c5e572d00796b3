import type { InferenceSession } from "onnxruntime-common";
import { PushforwardError } from "../errors.ts";
import type { Floats } from "../graph/operation.ts";
import type { Precision } from "../onnx/export.ts";
import { kernelCode } from "../random/kernel.ts";

/** A graph to run in a worker thread. Its arrays are views of shared memory, which both threads keep. */
export interface GraphTask {
  readonly bytes: Uint8Array;
  /** Whether onnxruntime-node runs it, or onnxruntime-web. */
  readonly isNative: boolean;
  readonly options: InferenceSession.SessionOptions;
  readonly precision: Precision;
  readonly inputs: readonly NamedArray[];
  readonly outputs: readonly NamedArray[];
}

/**
 * Asks a worker thread, through shared memory, to draw an input instead of reading it: 1 (0 to read it), the offset of its
 * first number in the stream, and the stream (`Random.stream`).
 */
export type NoiseRequest = Float64Array;
export const NOISE_REQUEST_LENGTH = 5;

/** A WebAssembly module over shared memory. `calls` has the calls of each run, as `ParallelKernel` encodes them. */
export interface KernelTask {
  readonly code: Uint8Array;
  readonly memory: WebAssembly.Memory;
  readonly calls: Float64Array;
}

export interface NamedArray {
  readonly name: string;
  readonly array: Floats;
  readonly dims: readonly number[];
  /** Whether the first of `dims` is the largest number of rows of a run; a run with fewer rows uses the first ones. */
  readonly hasRows: boolean;
  /** Only for inputs. */
  readonly noiseRequest?: NoiseRequest;
}

type WorkerThreads = typeof import("node:worker_threads");

const builtinModule = (globalThis as { process?: NodeJS.Process }).process?.getBuiltinModule;
/** Undefined in a page, where ONNX Runtime has threads of its own. */
const workerThreads = builtinModule?.("node:worker_threads") as WorkerThreads | undefined;

/** True in Node, Bun and Deno. */
export const hasWorkerThreads = workerThreads !== undefined;

/** True if other threads see what is written to the array. ONNX Runtime refuses such arrays. */
export const isShared = ({ buffer }: Floats): boolean =>
  typeof SharedArrayBuffer !== "undefined" && buffer instanceof SharedArrayBuffer;

/** The number of threads that rows can be split among; 1 where there are no worker threads. */
export const availableThreads = (): number => builtinModule?.("node:os").availableParallelism() ?? 1;

/** Indices of the shared words with which a thread is told to run a task, and answers that it is done. */
const [CALL, TASK, DONE, FAILED, ROWS, WORD_COUNT] = [0, 1, 2, 3, 4, 5];

/** In place of a task: the thread reads a message. */
const READ_MESSAGE = 0;
let lastTask = READ_MESSAGE;

/** Iterations of busy waiting before sleeping, a fraction of a millisecond: kernels finish sooner, and waking up takes as long. */
const SPIN_ITERATIONS = 50_000;

/**
 * A worker thread that runs graphs and kernels. A session of ONNX Runtime blocks its calling thread, and threads inside its
 * operations gain little on small products, so rows are split among threads with a session each. Calls and answers are words in
 * shared memory, which take microseconds: a thread waits busily for its next call for a moment before it sleeps.
 */
export class PoolWorker {
  private readonly worker: InstanceType<WorkerThreads["Worker"]>;
  /** A separate channel, because in Deno `receiveMessageOnPort`, with which the thread reads, does not take `parentPort`. */
  private readonly port: InstanceType<WorkerThreads["MessagePort"]>;
  private readonly control = new Int32Array(new SharedArrayBuffer(4 * WORD_COUNT));
  private calls = 0;
  private taskCount = 0;
  /** Unread answers of the thread: an error message for a failure, null for a message that it has handled. */
  private readonly answers: (string | null)[] = [];
  /** Set if the thread ended by itself. */
  private crash: Error | undefined;
  private wake: (() => void) | undefined;

  constructor() {
    const { port1, port2 } = new workerThreads!.MessageChannel();
    this.port = port1;
    this.worker = new workerThreads!.Worker(new URL("./worker.js", import.meta.url), {
      workerData: { control: this.control, random: kernelCode(), port: port2 },
      transferList: [port2],
      execArgv: [],
    });
    port1.on("message", (answer: string | null) => {
      this.answers.push(answer);
      this.wake?.();
    });
    this.worker.on("error", (error) => {
      this.crash = error as Error;
      this.wake?.();
    });
    // A thread that waits for work must not keep the process alive.
    this.worker.unref();
    port1.unref();
  }

  /** Creates a session for a graph, or an instance of a kernel, and returns the id with which to start it. */
  async prepare(task: GraphTask | KernelTask): Promise<number> {
    const id = ++lastTask;
    this.taskCount++;
    await this.send({ task: id, ...task });
    return id;
  }

  /** Releases the session of a graph or the instance of a kernel. */
  release(id: number): Promise<void> {
    this.taskCount--;
    return this.send({ task: id });
  }

  get isIdle(): boolean {
    return this.taskCount === 0;
  }

  async terminate(): Promise<void> {
    this.port.close();
    await this.worker.terminate();
  }

  /** Starts a task over `rows` rows: the thread reads the shared inputs, computes, and writes the shared outputs. */
  start(id: number, rows = 0): void {
    Atomics.store(this.control, TASK, id);
    Atomics.store(this.control, ROWS, rows);
    Atomics.store(this.control, FAILED, 0);
    // Wraps around after 2^32 calls, as the word in shared memory does.
    this.calls = (this.calls + 1) | 0;
    Atomics.store(this.control, CALL, this.calls);
    Atomics.notify(this.control, CALL);
  }

  /** Waits until the task that was started is done. Throws `ENGINE` if it failed. */
  async finish(): Promise<void> {
    const { control } = this;
    for (let i = 0; i < SPIN_ITERATIONS && Atomics.load(control, DONE) !== this.calls; i++);
    for (let done = Atomics.load(control, DONE); done !== this.calls; done = Atomics.load(control, DONE))
      Atomics.wait(control, DONE, done);
    if (Atomics.load(control, FAILED) === 1) await this.nextAnswer();
  }

  private send(message: object): Promise<void> {
    this.port.postMessage(message);
    this.start(READ_MESSAGE);
    return this.nextAnswer();
  }

  private async nextAnswer(): Promise<void> {
    this.worker.ref();
    this.port.ref();
    while (this.answers.length === 0 && !this.crash) {
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
    this.worker.unref();
    this.port.unref();
    const failure = this.crash ? this.crash.message : this.answers.shift();
    if (typeof failure === "string")
      throw new PushforwardError("ENGINE", `ONNX Runtime failed in a worker thread: ${failure}`);
  }
}

/** The worker threads of this process. */
const pool: PoolWorker[] = [];

/** The first `count` threads of the pool. Those that do not run yet are started. */
export function poolWorkers(count: number): PoolWorker[] {
  while (pool.length < count) pool.push(new PoolWorker());
  return pool.slice(0, count);
}

/** Ends the worker threads without tasks, about 50 MB each. They are started again when they are needed. */
export function terminateIdleWorkers(): Promise<void> {
  return runExclusive(async () => {
    // Callers take the first threads of the pool, so only the last ones can be removed.
    while (pool.at(-1)?.isIdle) await pool.pop()!.terminate();
  });
}

/** A task that a worker thread has prepared. */
export interface WorkerTask {
  readonly worker: PoolWorker;
  readonly id: number;
}

export async function releaseTasks(tasks: readonly WorkerTask[]): Promise<void> {
  for (const { worker, id } of tasks) await runExclusive(() => worker.release(id));
}

/** Releases the tasks of objects that are garbage-collected without having been released. */
export const releaseWhenCollected = new FinalizationRegistry(releaseTasks);

let lastAction: Promise<unknown> = Promise.resolve();

/** Runs one action at a time: all callers use the same worker threads, and a thread takes one call at a time. */
export function runExclusive<T>(action: () => Promise<T>): Promise<T> {
  const result = lastAction.then(action, action);
  lastAction = result.catch(() => undefined);
  return result;
}
