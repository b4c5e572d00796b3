import { resolveShape, sizeOf } from "../graph/shape.ts";
import type { Compiled, Floats, Traced } from "./compile.ts";
import { sessionOptions } from "./engine.ts";
import { cores, hasWorkerThreads, type SharedArray, workerThreads } from "./thread.ts";

/** The arrays of one member of a team: what it reads and what it writes in a turn. */
export interface Slot {
  readonly inputs: readonly Floats[];
  readonly outputs: Readonly<Record<string, Floats>>;
}

/** How many threads compute: as many as asked for (all cores if not), where there are worker threads. */
export const teamSize = (threads: number | undefined): number => Math.max(1, Math.min(threads ?? 64, cores()));

interface Arrays {
  readonly BYTES_PER_ELEMENT: number;
  new (memory: number | ArrayBufferLike): Floats;
}

/** Threads inside one operation: only where there are no worker threads to share rows among. */
export const threadsInside = (threads: number | undefined): number | undefined =>
  hasWorkerThreads ? 1 : threads;

/** One turn at a time: turns of different teams would otherwise meet in the same threads. */
let turn: Promise<unknown> = Promise.resolve();

/**
 * A compiled function on several threads, one slot each: the calling thread, whose session reads and writes its slot in
 * place, and worker threads with sessions of their own. Which slot computes what is the caller's choice, so results do
 * not depend on timing. The function must have a fixed batch.
 */
export class Team {
  readonly slots: readonly Slot[];
  private readonly compiled: Compiled<Traced>;
  private readonly members: readonly { thread: ReturnType<typeof workerThreads>[number]; job: number }[];
  /** Parameters that the graph reads as inputs, with their copies in shared memory. */
  private readonly parameters: readonly { readonly source: { value: Floats }; readonly shared: Floats }[];

  private constructor(
    compiled: Compiled<Traced>,
    slots: readonly Slot[],
    members: Team["members"],
    parameters: Team["parameters"],
  ) {
    this.compiled = compiled;
    this.slots = slots;
    this.members = members;
    this.parameters = parameters;
  }

  /** `outputs`: arrays of the caller for the results of the calling thread. */
  static async of(
    compiled: Compiled<any>,
    size: number,
    outputs: Readonly<Record<string, Floats>> = {},
  ): Promise<Team> {
    const { graph, options } = compiled;
    const { batch, precision = "float32", embedParameters = false } = options;
    const Type: Arrays = precision === "float64" ? Float64Array : Float32Array;
    const shapes = [...graph.inputs, ...graph.outputs].map(({ name, tensor }) => ({
      name,
      dims: resolveShape(tensor.shape, batch!),
    }));
    const share = (name: string, dims: readonly number[]): SharedArray => ({
      name,
      dims,
      shared: new Type(new SharedArrayBuffer(Type.BYTES_PER_ELEMENT * sizeOf(dims))),
    });
    const own: SharedArray[] = shapes.map(({ name, dims }) => ({
      name,
      dims,
      shared: outputs[name] ?? new Type(sizeOf(dims)),
    }));
    const slotOf = (arrays: readonly SharedArray[]): Slot => ({
      inputs: arrays.slice(0, graph.inputs.length).map(({ shared }) => shared),
      outputs: Object.fromEntries(
        arrays.slice(graph.inputs.length).map(({ name, shared }) => [name, shared]),
      ),
    });
    const parameters = embedParameters || size === 1
      ? []
      : graph.parameters.map(({ name, tensor }) => ({ source: tensor, ...share(name, tensor.sizes) }));
    const workers = await Promise.all(
      workerThreads(size - 1).map(async (thread) => {
        const arrays = shapes.map(({ name, dims }) => share(name, dims));
        const job = await exclusively(() =>
          thread.prepare({
            bytes: compiled.bytes(),
            options: sessionOptions({ ...options, threads: 1 }),
            precision,
            inputs: [
              ...arrays.slice(0, graph.inputs.length),
              ...parameters.map(({ name, dims, shared }) => ({ name, dims, shared })),
            ],
            outputs: arrays.slice(graph.inputs.length),
          }),
        );
        return { slot: slotOf(arrays), member: { thread, job } };
      }),
    );
    const slots = [slotOf(own), ...workers.map(({ slot }) => slot)];
    return new Team(compiled, slots, workers.map(({ member }) => member), parameters);
  }

  /** One turn of the first `count` slots. */
  run(count = this.slots.length): Promise<void> {
    return exclusively(async () => {
      const members = this.members.slice(0, count - 1);
      if (members.length > 0) for (const { source, shared } of this.parameters) shared.set(source.value);
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
    await this.compiled.release();
    for (const { thread, job } of this.members) await exclusively(() => thread.release(job));
  }
}

function exclusively<T>(action: () => Promise<T>): Promise<T> {
  const result = turn.then(action, action);
  turn = result.catch(() => undefined);
  return result;
}
