import { loadWorkerTasks, runExclusive } from "./workerPool.ts";
import type { WorkerTasks } from "./workerTasks.ts";

/** A call of a function of the module, with its arguments. */
export type KernelCall = readonly [name: string, ...numbers: number[]];

/** The size of the encoded calls of one run, in numbers. A training step makes a few calls with up to twenty arguments. */
const CALL_BUFFER_LENGTH = 256;

/** A WebAssembly module that runs on several threads over one memory: the calling thread and worker threads. */
export class ParallelKernel {
  private readonly functions: Readonly<Record<string, (...numbers: number[]) => void>>;
  private readonly names: readonly string[];
  /** The tasks of the worker threads, and the memory in which each reads its calls. */
  private readonly tasks: WorkerTasks | undefined;
  private readonly callBuffers: readonly Float64Array[];

  private constructor(
    code: Uint8Array<ArrayBuffer>,
    memory: WebAssembly.Memory,
    tasks: WorkerTasks | undefined,
    callBuffers: readonly Float64Array[],
  ) {
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(code), { env: { memory } });
    this.functions = exports as typeof this.functions;
    this.names = Object.keys(exports);
    this.tasks = tasks;
    this.callBuffers = callBuffers;
  }

  /**
   * `wasmMemory` is a `WebAssembly.Memory`, shared if there is more than one thread. Its type here is `object`, because TypeScript
   * declares `WebAssembly.Memory` only in the DOM library, which users of the package need not have.
   */
  static async create(
    code: Uint8Array<ArrayBuffer>,
    wasmMemory: object,
    threads: number,
  ): Promise<ParallelKernel> {
    const memory = wasmMemory as WebAssembly.Memory;
    if (threads === 1) return new ParallelKernel(code, memory, undefined, []);
    const bytes = Float64Array.BYTES_PER_ELEMENT * CALL_BUFFER_LENGTH;
    const callBuffers = Array.from(
      { length: threads - 1 },
      () => new Float64Array(new SharedArrayBuffer(bytes)),
    );
    const { WorkerTasks } = await loadWorkerTasks();
    const [, tasks] = await WorkerTasks.prepare(
      callBuffers.map((calls) => ({ code, memory, calls })),
      async () => undefined,
    );
    return new ParallelKernel(code, memory, tasks, callBuffers);
  }

  get threadCount(): number {
    return 1 + this.callBuffers.length;
  }

  /** Runs one list of calls on each thread, at the same time. The first list is that of the calling thread. */
  async run([ownCalls, ...workerCalls]: readonly (readonly KernelCall[])[]): Promise<void> {
    const compute = () => {
      for (const [name, ...numbers] of ownCalls) this.functions[name](...numbers);
    };
    const { tasks, callBuffers } = this;
    if (!tasks || workerCalls.length === 0) return compute();
    await runExclusive(() => {
      callBuffers.forEach((buffer, i) => {
        encodeCalls(workerCalls[i], this.names, buffer);
      });
      return tasks.run(callBuffers.length, 0, compute);
    });
  }

  /** Releases the tasks of the worker threads. The kernel cannot run afterwards. */
  async release(): Promise<void> {
    await this.tasks?.release();
  }
}

/** Writes the number of calls, then for each call the index of its function, the number of arguments, and the arguments. */
function encodeCalls(calls: readonly KernelCall[], names: readonly string[], target: Float64Array): void {
  let position = 0;
  target[position++] = calls.length;
  for (const [name, ...numbers] of calls) {
    target[position++] = names.indexOf(name);
    target[position++] = numbers.length;
    for (const number of numbers) target[position++] = number;
  }
}
