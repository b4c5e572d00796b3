import type { Graph } from "../graph/graph.ts";
import { resolveShape, sizeOf } from "../graph/shape.ts";
import type { Compiled, Floats, Traced } from "./compile.ts";
import { sessionOptions } from "./engine.ts";
import { cores, hasWorkerThreads, type NamedArray, type Thread, workerThreads } from "./thread.ts";

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

/** What a team needs of a compiled function. */
type Program = Pick<Compiled<Traced>, "graph" | "options" | "bytes" | "prepare" | "into" | "release">;

/** Worker threads forget what belonged to teams that nobody holds any more. */
const forgotten = new FinalizationRegistry(release);

/**
 * A compiled function on several threads, one slot each: the calling thread, whose session reads and writes its slot in
 * place, and worker threads with sessions of their own. Which slot computes what is the caller's choice, so results do
 * not depend on timing. The function must have a fixed batch and its parameters embedded.
 */
export class Team {
  readonly slots: readonly Slot[];
  private readonly program: Program;
  private readonly members: readonly Member[];
  /** Inputs that all threads read alike: the caller's array, and its copy in shared memory. */
  private readonly common: readonly { readonly source: Floats; readonly shared: Floats }[];

  private constructor(
    program: Program,
    slots: readonly Slot[],
    members: readonly Member[],
    common: Team["common"],
  ) {
    this.program = program;
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
    program: Program,
    size: number,
    bound: Readonly<Record<string, Floats>> = {},
  ): Promise<Team> {
    const { graph, options } = program;
    const { batch, precision = "float32" } = options;
    const Type: Arrays = precision === "float64" ? Float64Array : Float32Array;
    const shared = (dims: readonly number[]): Floats =>
      new Type(new SharedArrayBuffer(Type.BYTES_PER_ELEMENT * sizeOf(dims)));
    const lay = (entries: Graph["inputs"], array: (name: string, dims: readonly number[]) => Floats) =>
      entries.map(({ name, tensor }): NamedArray => {
        const dims = resolveShape(tensor.shape, batch!);
        return { name, dims, array: array(name, dims) };
      });
    const own = (name: string, dims: readonly number[]) => bound[name] ?? new Type(sizeOf(dims));
    const [inputs, outputs] = [lay(graph.inputs, own), lay(graph.outputs, own)];
    // A thread alone needs no shared memory, which not every page has.
    const common = inputs.flatMap(({ name, dims, array }) =>
      size > 1 && name in bound ? [{ name, source: array, shared: shared(dims) }] : [],
    );
    const workers = workerThreads(size - 1).map((thread) => ({
      thread,
      inputs: lay(
        graph.inputs,
        (name, dims) => common.find((each) => each.name === name)?.shared ?? shared(dims),
      ),
      outputs: lay(graph.outputs, (_name, dims) => shared(dims)),
    }));
    const job = {
      bytes: program.bytes(),
      options: sessionOptions({ ...options, threads: 1 }, graph),
      precision,
    };
    // All sessions at once, that of this thread too.
    const members = await exclusively(async () => {
      const prepared = workers.map(async ({ thread, inputs, outputs }) => ({
        thread,
        job: await thread.prepare({ ...job, inputs, outputs }),
      }));
      const [, ...members] = await Promise.all([program.prepare(), ...prepared]);
      return members;
    });
    return new Team(
      program,
      [slotOf(inputs, outputs), ...workers.map((w) => slotOf(w.inputs, w.outputs))],
      members,
      common,
    );
  }

  /** One turn of the first `count` slots. */
  run(count = this.slots.length): Promise<void> {
    return exclusively(async () => {
      const members = this.members.slice(0, count - 1);
      if (members.length > 0) for (const { source, shared } of this.common) shared.set(source);
      for (const { thread, job } of members) thread.start(job);
      try {
        const [{ inputs, outputs }] = this.slots;
        await this.program.into(inputs, outputs);
      } finally {
        for (const { thread } of members) await thread.finish();
      }
    });
  }

  async release(): Promise<void> {
    forgotten.unregister(this);
    await this.program.release();
    await release(this.members);
  }
}

const slotOf = (inputs: readonly NamedArray[], outputs: readonly NamedArray[]): Slot => ({
  inputs: inputs.map(({ array }) => array),
  outputs: Object.fromEntries(outputs.map(({ name, array }) => [name, array])),
});

async function release(members: readonly Member[]): Promise<void> {
  for (const { thread, job } of members) await exclusively(() => thread.release(job));
}

function exclusively<T>(action: () => Promise<T>): Promise<T> {
  const result = turn.then(action, action);
  turn = result.catch(() => undefined);
  return result;
}
