import { poolWorkers, releaseWhenCollected, runExclusive, type WorkerTask } from "./workerPool.ts";

/** A call of a function of the module, with its arguments. */
export type KernelCall = readonly [name: string, ...numbers: number[]];

/** The size of the encoded calls of one run, in numbers. A training step makes a few calls with up to twenty arguments. */
const CALL_BUFFER_LENGTH = 256;

interface KernelWorker extends WorkerTask {
  readonly calls: Float64Array;
}

/** A WebAssembly module that runs on several threads over one memory: the calling thread and worker threads. */
export class ParallelKernel {
  private readonly functions: Readonly<Record<string, (...numbers: number[]) => void>>;
  private readonly names: readonly string[];
  private readonly workers: readonly KernelWorker[];

  private constructor(
    code: Uint8Array<ArrayBuffer>,
    memory: WebAssembly.Memory,
    workers: readonly KernelWorker[],
  ) {
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(code), { env: { memory } });
    this.functions = exports as typeof this.functions;
    this.names = Object.keys(exports);
    this.workers = workers;
    if (workers.length > 0) releaseWhenCollected.register(this, workers);
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
    const workers = await runExclusive(async () =>
      Promise.all(
        (await poolWorkers(threads - 1)).map(async (worker): Promise<KernelWorker> => {
          const bytes = Float64Array.BYTES_PER_ELEMENT * CALL_BUFFER_LENGTH;
          const calls = new Float64Array(new SharedArrayBuffer(bytes));
          return { worker, calls, id: await worker.prepare({ code, memory, calls }) };
        }),
      ),
    );
    return new ParallelKernel(code, memory, workers);
  }

  get threadCount(): number {
    return 1 + this.workers.length;
  }

  /** Runs one list of calls on each thread, at the same time. The first list is that of the calling thread. */
  async run([ownCalls, ...workerCalls]: readonly (readonly KernelCall[])[]): Promise<void> {
    const compute = () => {
      for (const [name, ...numbers] of ownCalls) this.functions[name](...numbers);
    };
    if (workerCalls.length === 0) return compute();
    await runExclusive(async () => {
      this.workers.forEach(({ worker, id, calls }, i) => {
        encodeCalls(workerCalls[i], this.names, calls);
        worker.start(id);
      });
      try {
        compute();
      } finally {
        for (const { worker } of this.workers) await worker.finish();
      }
    });
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
