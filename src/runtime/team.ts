import type { Graph } from "../graph/graph.ts";
import { resolveShape, sizeOf } from "../graph/shape.ts";
import type { Compiled, Floats, Traced } from "./compile.ts";
import { sessionOptions } from "./engine.ts";
import { cores, hasWorkerThreads, type SharedArray, type Thread, workerThreads } from "./thread.ts";

/** The arrays of one member of a team: what it reads and what it writes in a turn. */
export interface Slot {
  readonly inputs: readonly Floats[];
  readonly outputs: Readonly<Record<string, Floats>>;
}

/** How many threads compute: as many as asked for, or one a core; 1 where there are no worker threads. */
export const teamSize = (threads = cores()): number => (hasWorkerThreads ? Math.max(1, threads) : 1);

interface Arrays {
  readonly BYTES_PER_ELEMENT: number;
  new (memory: number | ArrayBufferLike): Floats;
}

/** Threads inside one operation: only where there are no worker threads to share rows among. */
export const threadsInside = (threads: number | undefined): number | undefined =>
  hasWorkerThreads ? 1 : threads;

/** One turn at a time: turns of different teams would otherwise meet in the same threads. */
let turn: Promise<unknown> = Promise.resolve();

interface Member {
  readonly thread: Thread;
  readonly job: number;
}

/** Worker threads forget what belonged to teams that nobody holds any more. */
const forgotten = new FinalizationRegistry((members: readonly Member[]) => {
  for (const { thread, job } of members) exclusively(() => thread.release(job));
});

/**
 * A compiled function on several threads, one slot each: the calling thread, whose session reads and writes its slot in
 * place, and worker threads with sessions of their own. Which slot computes what is the caller's choice, so results do
 * not depend on timing. The function must have a fixed batch and its parameters embedded.
 */
export class Team {
  readonly slots: readonly Slot[];
  private readonly compiled: Compiled<Traced>;
  private readonly members: readonly Member[];
  /** Inputs that all threads read alike: the caller's array, and its copy in shared memory. */
  private readonly common: readonly { readonly source: Floats; readonly shared: Floats }[];

  private constructor(
    compiled: Compiled<Traced>,
    slots: readonly Slot[],
    members: readonly Member[],
    common: Team["common"],
  ) {
    this.compiled = compiled;
    this.slots = slots;
    this.members = members;
    this.common = common;
    if (members.length > 0) forgotten.register(this, members, this);
  }

  /**
   * `bound` has arrays of the caller by the names of inputs, which all threads read anew in each turn, and of outputs, which
   * the calling thread writes.
   */
  static async of(
    // biome-ignore lint/suspicious/noExplicitAny: any compiled function, whatever its results
    compiled: Compiled<any>,
    size: number,
    bound: Readonly<Record<string, Floats>> = {},
  ): Promise<Team> {
    const { graph, options } = compiled;
    const { batch, precision = "float32" } = options;
    const Type: Arrays = precision === "float64" ? Float64Array : Float32Array;
    const share = (dims: readonly number[]): Floats =>
      new Type(new SharedArrayBuffer(Type.BYTES_PER_ELEMENT * sizeOf(dims)));
    const dimsOf = ({ name, tensor }: Graph["inputs"][number]) => ({
      name,
      dims: resolveShape(tensor.shape, batch!),
    });
    const [inputs, outputs] = [graph.inputs.map(dimsOf), graph.outputs.map(dimsOf)];
    // A thread alone needs no shared memory, which not every page has.
    const common = inputs.flatMap(({ name, dims }) =>
      size > 1 && bound[name] ? [{ name, source: bound[name], shared: share(dims) }] : [],
    );
    const slotOf = (read: readonly SharedArray[], written: readonly SharedArray[]): Slot => ({
      inputs: read.map(({ shared }) => shared),
      outputs: Object.fromEntries(written.map(({ name, shared }) => [name, shared])),
    });
    const own = (entries: typeof inputs): SharedArray[] =>
      entries.map((entry) => ({ ...entry, shared: bound[entry.name] ?? new Type(sizeOf(entry.dims)) }));
    const workers = workerThreads(size - 1).map((thread) => ({
      thread,
      read: inputs.map((entry) => ({
        ...entry,
        shared: common.find(({ name }) => name === entry.name)?.shared ?? share(entry.dims),
      })),
      written: outputs.map((entry) => ({ ...entry, shared: share(entry.dims) })),
    }));
    const bytes = workers.length > 0 ? compiled.bytes() : undefined;
    const members = await Promise.all(
      workers.map(({ thread, read, written }) =>
        exclusively(async () => ({
          thread,
          job: await thread.prepare({
            bytes: bytes!,
            options: sessionOptions({ ...options, threads: 1 }),
            precision,
            inputs: read,
            outputs: written,
          }),
        })),
      ),
    );
    const slots = [
      slotOf(own(inputs), own(outputs)),
      ...workers.map(({ read, written }) => slotOf(read, written)),
    ];
    return new Team(compiled, slots, members, common);
  }

  /** One turn of the first `count` slots. */
  run(count = this.slots.length): Promise<void> {
    return exclusively(async () => {
      const members = this.members.slice(0, count - 1);
      if (members.length > 0) for (const { source, shared } of this.common) shared.set(source);
      for (const { thread, job } of members) thread.start(job);
      try {
        const [{ inputs, outputs }] = this.slots;
        await this.compiled.into(inputs, outputs);
      } finally {
        for (const { thread } of members) await thread.finish();
      }
    });
  }

  async release(): Promise<void> {
    forgotten.unregister(this);
    await this.compiled.release();
    for (const { thread, job } of this.members) await exclusively(() => thread.release(job));
  }
}

function exclusively<T>(action: () => Promise<T>): Promise<T> {
  const result = turn.then(action, action);
  turn = result.catch(() => undefined);
  return result;
}
