import { type Graph, resolveShape, sizeOf, type Tensor } from "../graph/index.ts";
import type { Compiled, Floats, Traced } from "./compile.ts";
import { loadEngine, sessionOptions } from "./engine.ts";
import { deviceProviders, type EngineOptions } from "./engineOptions.ts";
import { floatsOf } from "./floats.ts";
import { NOISE_REQUEST_LENGTH, type NoiseRequest } from "./noiseRequest.ts";
import {
  availableThreads,
  hasWorkerThreads,
  isShared,
  loadWorkerTasks,
  type NamedArray,
  runExclusive,
} from "./workerPool.ts";
import type { WorkerTasks } from "./workerTasks.ts";

/** The arrays of one thread: its part of the rows of a call. */
export interface Shard {
  readonly inputs: readonly Floats[];
  /** For each input, how to ask the thread to draw it; undefined for the calling thread. */
  readonly noiseRequests: readonly (NoiseRequest | undefined)[];
  readonly outputs: Readonly<Record<string, Floats>>;
}

/** The size of the shards, and arrays of the caller that are used in place of new ones. */
export interface ShardedOptions {
  /** The largest number of rows of a shard. Default the fixed batch of the function. */
  readonly rows?: number | undefined;
  /** By the names of inputs: arrays that all threads read, with their current content at each call. Default none. */
  readonly inputs?: Readonly<Record<string, Floats>> | undefined;
  /** By the names of outputs: one array for each shard. With several threads they must be in shared memory. Default: new arrays. */
  readonly outputs?: Readonly<Record<string, readonly Floats[]>> | undefined;
}

/**
 * The number of threads to use: `threads`, by default one per core; 1 where there are no worker threads, and for a device, since its
 * sessions may crash if several threads use them.
 */
export const threadCount = ({ providers, threads = availableThreads() }: EngineOptions): number =>
  hasWorkerThreads && deviceProviders(providers).length === 0 ? Math.max(1, threads) : 1;

/** The number of threads inside an operation of ONNX Runtime: 1 where rows are split among worker threads. */
export const intraOpThreads = (threads: number | undefined): number | undefined =>
  hasWorkerThreads ? 1 : threads;

/** The members of a compiled function that are needed here. */
type ShardableFunction = Pick<Compiled<Traced>, "graph" | "options" | "sessionFile" | "bind" | "release">;

/**
 * A compiled function that runs on several threads at once, the calling one and worker threads, each with a session and a shard
 * of the rows. The caller decides which shard has which rows, so results do not depend on timing. The function must embed its
 * parameters.
 */
export class ShardedFunction {
  readonly shards: readonly Shard[];
  /** The largest number of rows of a shard. */
  readonly rows: number;
  private readonly compiled: ShardableFunction;
  /** Keyed by a number of rows: the function bound to this many first rows of the first shard. */
  private readonly boundByRows: Map<number, () => Promise<void>>;
  /** The tasks of the shards after the first one; undefined for a single shard. */
  private readonly workerTasks: WorkerTasks | undefined;
  /** Inputs that all threads read: the array of the caller, and a copy in shared memory, or the array itself if it is shared. */
  private readonly broadcastInputs: readonly { readonly source: Floats; readonly shared: Floats }[];

  private constructor(
    compiled: ShardableFunction,
    shards: readonly Shard[],
    rows: number,
    bound: () => Promise<void>,
    workerTasks?: WorkerTasks,
    broadcastInputs: ShardedFunction["broadcastInputs"] = [],
  ) {
    this.compiled = compiled;
    this.shards = shards;
    this.rows = rows;
    this.boundByRows = new Map([[rows, bound]]);
    this.workerTasks = workerTasks;
    this.broadcastInputs = broadcastInputs;
  }

  static async create(
    compiled: ShardableFunction,
    threads: number,
    callerArrays: ShardedOptions = {},
  ): Promise<ShardedFunction> {
    const { graph, options } = compiled;
    const { precision = "float32" } = options;
    const rows = (callerArrays.rows ?? options.batch)!;
    const Type = floatsOf(precision);
    const allocateShared = (dims: readonly number[]): Floats =>
      new Type(new SharedArrayBuffer(Type.BYTES_PER_ELEMENT * sizeOf(dims)));
    const arraysOf = (
      entries: Graph["inputs"],
      arrayFor: (name: string, dims: readonly number[]) => Floats,
    ) =>
      entries.map(({ name, tensor }): NamedArray => {
        const dims = resolveShape(tensor.shape, rows);
        return { name, dims, hasRows: tensor.shape[0] === "N", array: arrayFor(name, dims) };
      });
    const inputs = arraysOf(
      graph.inputs,
      (name, dims) => callerArrays.inputs?.[name] ?? new Type(sizeOf(dims)),
    );
    const outputs = arraysOf(
      graph.outputs,
      (name, dims) => callerArrays.outputs?.[name]?.[0] ?? new Type(sizeOf(dims)),
    );
    const own = shardOf(inputs, outputs);
    const bind = () => compiled.bind(own.inputs, own.outputs);
    // A single thread needs no shared memory, which pages without cross-origin isolation do not have.
    if (threads === 1) return new ShardedFunction(compiled, [own], rows, await runExclusive(bind));
    const broadcastInputs = inputs.flatMap(({ name, dims, array }) =>
      callerArrays.inputs?.[name]
        ? [{ name, source: array, shared: isShared(array) ? array : allocateShared(dims) }]
        : [],
    );
    const workers = Array.from({ length: threads - 1 }, (_, i) => ({
      inputs: arraysOf(
        graph.inputs,
        (name, dims) =>
          broadcastInputs.find((broadcast) => broadcast.name === name)?.shared ?? allocateShared(dims),
      ).map((entry) => ({
        ...entry,
        noiseRequest: new Float64Array(
          new SharedArrayBuffer(NOISE_REQUEST_LENGTH * Float64Array.BYTES_PER_ELEMENT),
        ),
      })),
      outputs: arraysOf(
        graph.outputs,
        (name, dims) => callerArrays.outputs?.[name]?.[i + 1] ?? allocateShared(dims),
      ),
    }));
    const { isNative } = await loadEngine(options);
    const task = {
      bytes: await compiled.sessionFile(),
      isNative,
      options: sessionOptions({ ...options, threads: 1 }, graph),
      precision,
    };
    // All threads create their sessions at the same time.
    const { WorkerTasks } = await loadWorkerTasks();
    const [bound, workerTasks] = await WorkerTasks.prepare(
      workers.map((worker) => ({ ...task, ...worker })),
      bind,
    ).catch(async (error) => {
      // The calling thread may have created its session although another thread failed.
      await compiled.release();
      throw error;
    });
    const shards = [own, ...workers.map((worker) => shardOf(worker.inputs, worker.outputs))];
    return new ShardedFunction(compiled, shards, rows, bound, workerTasks, broadcastInputs);
  }

  /**
   * Computes the first `count` shards, each over its first `rows` rows. `onCallingThread` may do something before and after the
   * calling thread computes its shard, while the other threads compute theirs.
   */
  run(
    count = this.shards.length,
    rows = this.rows,
    onCallingThread: (compute: () => Promise<void>) => Promise<void> = (compute) => compute(),
  ): Promise<void> {
    return runExclusive(async () => {
      const compute = () => onCallingThread(() => this.computeFirstShard(rows));
      if (!this.workerTasks || count === 1) return compute();
      for (const { source, shared } of this.broadcastInputs) if (shared !== source) shared.set(source);
      await this.workerTasks.run(count - 1, rows, compute);
    });
  }

  private async computeFirstShard(rows: number): Promise<void> {
    let bound = this.boundByRows.get(rows);
    if (!bound) {
      const { graph } = this.compiled;
      const [{ inputs, outputs }] = this.shards;
      const firstRows = (array: Floats, { shape }: Tensor) =>
        shape[0] === "N" ? array.subarray(0, (array.length / this.rows) * rows) : array;
      bound = await this.compiled.bind(
        inputs.map((array, i) => firstRows(array, graph.inputs[i].tensor)),
        Object.fromEntries(graph.outputs.map(({ name, tensor }) => [name, firstRows(outputs[name], tensor)])),
      );
      this.boundByRows.set(rows, bound);
    }
    await bound();
  }

  async release(): Promise<void> {
    try {
      await this.compiled.release();
    } finally {
      await this.workerTasks?.release();
    }
  }
}

const shardOf = (inputs: readonly NamedArray[], outputs: readonly NamedArray[]): Shard => ({
  inputs: inputs.map(({ array }) => array),
  noiseRequests: inputs.map(({ noiseRequest }) => noiseRequest),
  outputs: Object.fromEntries(outputs.map(({ name, array }) => [name, array])),
});
