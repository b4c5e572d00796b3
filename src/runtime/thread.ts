import type { InferenceSession } from "onnxruntime-common";
import { PushforwardError } from "../errors.ts";
import type { Floats } from "../graph/operation.ts";
import type { Precision } from "../onnx/export.ts";
import { kernelCode } from "../random/kernel.ts";

/** A graph as a worker thread gets it. Arrays are views of shared memory that both sides keep. */
export interface ThreadJob {
  readonly bytes: Uint8Array;
  readonly options: InferenceSession.SessionOptions;
  readonly precision: Precision;
  readonly inputs: readonly NamedArray[];
  readonly outputs: readonly NamedArray[];
}

/**
 * Shared memory that tells a thread to draw an input and not to read it: 1 (else 0), the offset of its first number, and the
 * stream (`Random.stream`).
 */
export type NoiseWords = Float64Array;
export const NOISE_WORDS = 5;

/** A WebAssembly module over shared memory. What to call, each turn, the other side writes into `calls`. */
export interface ThreadKernel {
  readonly code: Uint8Array;
  readonly memory: WebAssembly.Memory;
  readonly calls: Float64Array;
}

export interface NamedArray {
  readonly name: string;
  readonly array: Floats;
  readonly dims: readonly number[];
  /** Whether the first of `dims` is the most rows of a turn; the rows of one that has fewer come first. */
  readonly byRow: boolean;
  /** Of an input. */
  readonly noise?: NoiseWords;
}

type Threads = typeof import("node:worker_threads");

const builtin = (globalThis as { process?: NodeJS.Process }).process?.getBuiltinModule;
/** Node's worker threads; undefined in a page, where the runtime has threads of its own. */
const module = builtin?.("node:worker_threads") as Threads | undefined;

export const hasWorkerThreads = module !== undefined;

/** True if other threads see what is written there. The native runtime refuses such memory. */
export const isShared = ({ buffer }: Floats): boolean =>
  typeof SharedArrayBuffer !== "undefined" && buffer instanceof SharedArrayBuffer;

/** Cores that rows can be shared among; 1 where there are no worker threads. */
export const cores = (): number => builtin?.("node:os").availableParallelism() ?? 1;

/** Words of the shared memory through which a thread is told to go, and tells that it is done. */
const [TURN, JOB, DONE, FAILED, ROWS, WORDS] = [0, 1, 2, 3, 4, 5];

/** The number of no job: the turn is to read a message. */
const MAIL = 0;
let lastJob = MAIL;

/** A fraction of a millisecond: turns of kernels take no longer, and to be woken up takes as long again. */
const SPINS = 50_000;

/**
 * A worker thread that runs graphs and kernels when told. ONNX Runtime's `run` holds its calling thread and its own threads
 * gain little on small products, so rows are shared among threads with a session each. Turns go through shared memory, in
 * microseconds: a thread looks out for its next turn for a moment before it sleeps.
 */
export class Thread {
  private readonly worker: InstanceType<Threads["Worker"]>;
  /** A channel of its own: in Deno `receiveMessageOnPort`, by which the thread reads, does not take its parent's port. */
  private readonly port: InstanceType<Threads["MessagePort"]>;
  private readonly control = new Int32Array(new SharedArrayBuffer(4 * WORDS));
  private turns = 0;
  /** Graphs and kernels that it holds. */
  private held = 0;
  /** What the thread has said, one text for each failure and null for each graph that is ready, until somebody asks. */
  private readonly answers: (string | null)[] = [];
  private death: Error | undefined;
  private heard: (() => void) | undefined;

  constructor() {
    const { port1, port2 } = new module!.MessageChannel();
    this.port = port1;
    this.worker = new module!.Worker(new URL("./worker.js", import.meta.url), {
      workerData: { control: this.control, random: kernelCode(), port: port2 },
      transferList: [port2],
      execArgv: [],
    });
    port1.on("message", (answer: string | null) => {
      this.answers.push(answer);
      this.heard?.();
    });
    this.worker.on("error", (error) => {
      this.death = error as Error;
      this.heard?.();
    });
    // A thread that waits for work must not keep the process alive.
    this.worker.unref();
    port1.unref();
  }

  /** Makes a session for a graph, or an instance of a kernel; gives the number to `start` it by. */
  async prepare(job: ThreadJob | ThreadKernel): Promise<number> {
    const number = ++lastJob;
    this.held++;
    await this.mail({ job: number, ...job });
    return number;
  }

  /** Forgets a graph or a kernel. */
  release(job: number): Promise<void> {
    this.held--;
    return this.mail({ job });
  }

  get isIdle(): boolean {
    return this.held === 0;
  }

  /** Ends the thread, which holds nothing any more. */
  async end(): Promise<void> {
    this.port.close();
    await this.worker.terminate();
  }

  /** Starts a turn over `rows` rows: the thread reads its shared inputs, computes, and writes its shared outputs. */
  start(job: number, rows = 0): void {
    Atomics.store(this.control, JOB, job);
    Atomics.store(this.control, ROWS, rows);
    Atomics.store(this.control, FAILED, 0);
    // As the words of the shared memory, it goes round after 2^32 turns.
    this.turns = (this.turns + 1) | 0;
    Atomics.store(this.control, TURN, this.turns);
    Atomics.notify(this.control, TURN);
  }

  /** Waits for the end of the turn. */
  async finish(): Promise<void> {
    const { control } = this;
    for (let i = 0; i < SPINS && Atomics.load(control, DONE) !== this.turns; i++);
    for (let done = Atomics.load(control, DONE); done !== this.turns; done = Atomics.load(control, DONE))
      Atomics.wait(control, DONE, done);
    if (Atomics.load(control, FAILED) === 1) await this.answer();
  }

  private mail(message: object): Promise<void> {
    this.port.postMessage(message);
    this.start(MAIL);
    return this.answer();
  }

  /** The thread's next answer; an error if it tells of a failure. */
  private async answer(): Promise<void> {
    this.worker.ref();
    this.port.ref();
    while (this.answers.length === 0 && !this.death) {
      await new Promise<void>((resolve) => {
        this.heard = resolve;
      });
    }
    this.worker.unref();
    this.port.unref();
    const failure = this.death ? this.death.message : this.answers.shift();
    if (typeof failure === "string")
      throw new PushforwardError("ENGINE", `ONNX Runtime failed in a worker thread: ${failure}`);
  }
}

const threads: Thread[] = [];

/** The first `count` of the process's worker threads, started when first used. */
export function workerThreads(count: number): Thread[] {
  while (threads.length < count) threads.push(new Thread());
  return threads.slice(0, count);
}

/** Ends the worker threads that hold no graphs or kernels: they take some 50 MB each. They start anew when they are needed. */
export function endIdleThreads(): Promise<void> {
  return exclusively(async () => {
    // Teams take the first threads, so only those at the end can go.
    while (threads.at(-1)?.isIdle) await threads.pop()!.end();
  });
}

/** A job that a thread has taken up. */
export interface Held {
  readonly thread: Thread;
  readonly job: number;
}

export async function release(held: readonly Held[]): Promise<void> {
  for (const { thread, job } of held) await exclusively(() => thread.release(job));
}

/** Worker threads forget the jobs of what nobody holds any more. */
export const forgotten = new FinalizationRegistry(release);

/** One turn at a time: turns of different teams would otherwise meet in the same threads. */
let turn: Promise<unknown> = Promise.resolve();

export function exclusively<T>(action: () => Promise<T>): Promise<T> {
  const result = turn.then(action, action);
  turn = result.catch(() => undefined);
  return result;
}
