import { PushforwardError } from "../check/index.ts";
import { kernelCode } from "../random/index.ts";
import { type GraphTask, type KernelTask, type WorkerThreads, workerThreads } from "./workerPool.ts";
import { CALL, DONE, FAILED, READ_MESSAGE, ROWS, TASK, WORD_COUNT } from "./workerProtocol.js";

let lastTask: number = READ_MESSAGE;

/**
 * Iterations of busy waiting before the calling thread sleeps, a fraction of a millisecond. Most kernels finish within this
 * time, and waking a sleeping thread would take about as long.
 */
const SPIN_ITERATIONS = 50_000;

/** While the calling thread sleeps it cannot learn that a thread has ended, so it handles events after this time. */
const MAX_SLEEP_MS = 200;

/**
 * A worker thread that runs graphs and kernels. A session of ONNX Runtime blocks its calling thread, and threads inside its
 * operations gain little on small products, so rows are split among threads with a session each. Calls and answers are words in
 * shared memory, which take microseconds: a thread waits busily for its next call for a moment before it sleeps.
 */
export class PoolWorker {
  private readonly worker: InstanceType<WorkerThreads["Worker"]>;
  /** A separate channel: the thread reads it by `receiveMessageOnPort`, which does not take `parentPort` in Deno. */
  private readonly port: InstanceType<WorkerThreads["MessagePort"]>;
  private readonly control = new Int32Array(new SharedArrayBuffer(4 * WORD_COUNT));
  private calls = 0;
  private taskCount = 0;
  /** Unread answers of the thread: an error message for a failure, null for a message that it has handled. */
  private readonly answers: (string | null)[] = [];
  /** Set if the thread ended by itself. */
  crash: Error | undefined;
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
    const end = (error: Error) => {
      this.crash ??= error;
      this.wake?.();
    };
    this.worker.on("error", (error) => end(error as Error));
    this.worker.on("exit", (code) => end(new Error(`the thread ended with code ${code}`)));
    // A thread that waits for work must not keep the process alive.
    this.worker.unref();
    port1.unref();
  }

  /** Creates a session for a graph, or an instance of a kernel, and returns the id with which to start it. */
  async prepare(task: GraphTask | KernelTask): Promise<number> {
    const id = ++lastTask;
    await this.send({ task: id, ...task });
    this.taskCount++;
    return id;
  }

  /** Releases the session of a graph or the instance of a kernel. A thread that has ended has neither. */
  async release(id: number): Promise<void> {
    this.taskCount--;
    if (!this.crash) await this.send({ task: id });
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
    for (let done = Atomics.load(control, DONE); done !== this.calls; done = Atomics.load(control, DONE)) {
      if (this.crash) return this.nextAnswer();
      if (Atomics.wait(control, DONE, done, MAX_SLEEP_MS) === "timed-out")
        await new Promise((resolve) => setTimeout(resolve));
    }
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
      throw new PushforwardError("ENGINE", `a worker thread failed: ${failure}`);
  }
}
