import type { Graph } from "../graph/graph.ts";
import { resolveShape, sizeOf } from "../graph/shape.ts";
import type { Tensor } from "../graph/tensor.ts";
import type { Compiled, Floats, Traced } from "./compile.ts";
import { sessionOptions } from "./engine.ts";
import {
  cores,
  exclusively,
  forgotten,
  type Held,
  hasWorkerThreads,
  isShared,
  type NamedArray,
  NOISE_WORDS,
  type NoiseWords,
  release,
  workerThreads,
} from "./thread.ts";

/** The arrays of one member of a team: what it reads and what it writes in a turn. */
export interface Slot {
  readonly inputs: readonly Floats[];
  /** For each input how another thread is told to draw it; undefined for the calling thread. */
  readonly noise: readonly (NoiseWords | undefined)[];
  readonly outputs: Readonly<Record<string, Floats>>;
}

/**
 * Arrays of the caller that a team takes in place of its own, by the names of inputs, which all threads read anew in each
 * turn, and of outputs, one for each slot. Where there are several threads, those of outputs must be in shared memory.
 */
export interface TeamOptions {
  /** The most rows that a slot has room for; default the batch of a program that has a fixed one. */
  readonly rows?: number;
  readonly inputs?: Readonly<Record<string, Floats>>;
  readonly outputs?: Readonly<Record<string, readonly Floats[]>>;
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

/** What a team needs of a compiled function. */
type Program = Pick<Compiled<Traced>, "graph" | "options" | "sessionBytes" | "bind" | "release">;

/**
 * A compiled function on several threads, one slot each: the calling thread and worker threads with sessions of their own.
 * Which slot computes what is the caller's choice, so results do not depend on timing. The function must have its parameters
 * embedded.
 */
export class Team {
  readonly slots: readonly Slot[];
  /** Rows that a slot has room for. */
  readonly rows: number;
  private readonly program: Program;
  /** Turns of the calling thread over so many rows. */
  private readonly turns: Map<number, () => Promise<void>>;
  private readonly members: readonly Held[];
  /** Inputs that all threads read alike: the caller's array, and its copy in shared memory unless it is there itself. */
  private readonly common: readonly { readonly source: Floats; readonly shared: Floats }[];

  private constructor(
    program: Program,
    slots: readonly Slot[],
    rows: number,
    compute: () => Promise<void>,
    members: readonly Held[],
    common: Team["common"],
  ) {
    this.program = program;
    this.slots = slots;
    this.rows = rows;
    this.turns = new Map([[rows, compute]]);
    this.members = members;
    this.common = common;
    if (members.length > 0) forgotten.register(this, members, this);
  }

  static async of(program: Program, size: number, bound: TeamOptions = {}): Promise<Team> {
    const { graph, options } = program;
    const { precision = "float32" } = options;
    const rows = (bound.rows ?? options.batch)!;
    const Type: Arrays = precision === "float64" ? Float64Array : Float32Array;
    const shared = (dims: readonly number[]): Floats =>
      new Type(new SharedArrayBuffer(Type.BYTES_PER_ELEMENT * sizeOf(dims)));
    const lay = (entries: Graph["inputs"], array: (name: string, dims: readonly number[]) => Floats) =>
      entries.map(({ name, tensor }): NamedArray => {
        const dims = resolveShape(tensor.shape, rows);
        return { name, dims, byRow: tensor.shape[0] === "N", array: array(name, dims) };
      });
    const inputs = lay(graph.inputs, (name, dims) => bound.inputs?.[name] ?? new Type(sizeOf(dims)));
    const outputs = lay(graph.outputs, (name, dims) => bound.outputs?.[name]?.[0] ?? new Type(sizeOf(dims)));
    // A thread alone needs no shared memory, which not every page has.
    const common = inputs.flatMap(({ name, dims, array }) =>
      size > 1 && bound.inputs?.[name]
        ? [{ name, source: array, shared: isShared(array) ? array : shared(dims) }]
        : [],
    );
    const workers = Array.from({ length: size - 1 }, (_, i) => ({
      inputs: lay(
        graph.inputs,
        (name, dims) => common.find((each) => each.name === name)?.shared ?? shared(dims),
      ).map((entry) => ({
        ...entry,
        noise: new Float64Array(new SharedArrayBuffer(NOISE_WORDS * Float64Array.BYTES_PER_ELEMENT)),
      })),
      outputs: lay(graph.outputs, (name, dims) => bound.outputs?.[name]?.[i + 1] ?? shared(dims)),
    }));
    const job = {
      bytes: program.sessionBytes(),
      options: sessionOptions({ ...options, threads: 1 }, graph),
      precision,
    };
    const slots = [slotOf(inputs, outputs), ...workers.map((w) => slotOf(w.inputs, w.outputs))];
    // All sessions at once, that of this thread too.
    const [compute, ...members] = await exclusively(async () => {
      const prepared = workerThreads(workers.length).map(async (thread, i) => ({
        thread,
        job: await thread.prepare({ ...job, ...workers[i] }),
      }));
      return Promise.all([program.bind(slots[0].inputs, slots[0].outputs), ...prepared]);
    });
    return new Team(program, slots, rows, compute, members, common);
  }

  /**
   * One turn of the first `count` slots, each over its first `rows` rows. `own` may do something before and after the calling
   * thread computes its part, while the others are at theirs.
   */
  run(
    count = this.slots.length,
    rows = this.rows,
    own: (compute: () => Promise<void>) => Promise<void> = (compute) => compute(),
  ): Promise<void> {
    return exclusively(async () => {
      const members = this.members.slice(0, count - 1);
      if (members.length > 0)
        for (const { source, shared } of this.common) if (shared !== source) shared.set(source);
      for (const { thread, job } of members) thread.start(job, rows);
      try {
        await own(() => this.compute(rows));
      } finally {
        for (const { thread } of members) await thread.finish();
      }
    });
  }

  private async compute(rows: number): Promise<void> {
    let turn = this.turns.get(rows);
    if (!turn) {
      const { graph } = this.program;
      const [{ inputs, outputs }] = this.slots;
      const part = (array: Floats, { shape }: Tensor) =>
        shape[0] === "N" ? array.subarray(0, (array.length / this.rows) * rows) : array;
      turn = await this.program.bind(
        inputs.map((array, i) => part(array, graph.inputs[i].tensor)),
        Object.fromEntries(graph.outputs.map(({ name, tensor }) => [name, part(outputs[name], tensor)])),
      );
      this.turns.set(rows, turn);
    }
    await turn();
  }

  async release(): Promise<void> {
    forgotten.unregister(this);
    await this.program.release();
    await release(this.members);
  }
}

const slotOf = (inputs: readonly NamedArray[], outputs: readonly NamedArray[]): Slot => ({
  inputs: inputs.map(({ array }) => array),
  noise: inputs.map(({ noise }) => noise),
  outputs: Object.fromEntries(outputs.map(({ name, array }) => [name, array])),
});
