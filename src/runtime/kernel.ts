import { exclusively, forgotten, type Held, workerThreads } from "./thread.ts";

/** A call of a function of a kernel, with its numbers. */
export type Call = readonly [name: string, ...numbers: number[]];

/** Numbers with which calls are told to a worker thread. */
const ROOM = 256;

interface Member extends Held {
  readonly calls: Float64Array;
}

/** A WebAssembly module of plain functions on several threads that share one memory: the calling one and worker threads. */
export class Kernel {
  private readonly functions: Readonly<Record<string, (...numbers: number[]) => void>>;
  private readonly names: readonly string[];
  private readonly members: readonly Member[];

  private constructor(code: Uint8Array<ArrayBuffer>, memory: WebAssembly.Memory, members: readonly Member[]) {
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(code), { env: { memory } });
    this.functions = exports as typeof this.functions;
    this.names = Object.keys(exports);
    this.members = members;
    if (members.length > 0) forgotten.register(this, members);
  }

  /**
   * The memory is a `WebAssembly.Memory`, on more than one thread a shared one. Declarations of the package name no such type:
   * only the DOM's library has it.
   */
  static async of(code: Uint8Array<ArrayBuffer>, wasmMemory: object, size: number): Promise<Kernel> {
    const memory = wasmMemory as WebAssembly.Memory;
    const members = await exclusively(() =>
      Promise.all(
        workerThreads(size - 1).map(async (thread): Promise<Member> => {
          const calls = new Float64Array(new SharedArrayBuffer(Float64Array.BYTES_PER_ELEMENT * ROOM));
          return { thread, calls, job: await thread.prepare({ code, memory, calls }) };
        }),
      ),
    );
    return new Kernel(code, memory, members);
  }

  /** The number of threads. */
  get size(): number {
    return 1 + this.members.length;
  }

  /** Makes the calls of each thread, one list for each, at the same time. */
  async run([own, ...others]: readonly (readonly Call[])[]): Promise<void> {
    const make = () => {
      for (const [name, ...numbers] of own) this.functions[name](...numbers);
    };
    // Alone it disturbs nobody's turn.
    if (others.length === 0) return make();
    await exclusively(async () => {
      this.members.forEach(({ thread, job, calls }, i) => {
        write(others[i], this.names, calls);
        thread.start(job);
      });
      try {
        make();
      } finally {
        for (const { thread } of this.members) await thread.finish();
      }
    });
  }
}

/** How many calls; of each the number of its function, how many numbers, and these. */
function write(calls: readonly Call[], names: readonly string[], target: Float64Array): void {
  let at = 0;
  target[at++] = calls.length;
  for (const [name, ...numbers] of calls) {
    target[at++] = names.indexOf(name);
    target[at++] = numbers.length;
    for (const number of numbers) target[at++] = number;
  }
}
