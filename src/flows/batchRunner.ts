import type { Standardize } from "../bijections/index.ts";
import { PushforwardError } from "../check/index.ts";
import type { FlatRows } from "../dataset/index.ts";
import { type Graph, type Parameter, peakNumbersPerRow, type Shape, type Tensor } from "../graph/index.ts";
import type { Precision } from "../onnx/index.ts";
import type { Random } from "../random/index.ts";
import {
  type CompileOptions,
  compile,
  type EngineOptions,
  type Floats,
  intraOpThreads,
  type NoiseRequest,
  ShardedFunction,
  terminateIdleWorkers,
  threadCount,
} from "../runtime/index.ts";

/** Options of every method that computes numbers. */
export interface RunOptions extends EngineOptions {
  /** The precision of the graph. Default `float32`, or `float64` if a standardization inside of the flow needs it. */
  precision?: Precision | undefined;
}

/** Rows of a chunk: enough for efficient matrix products, and few enough for a core's cache. */
const MIN_CHUNK_ROWS = 1024;

/** Larger graphs get larger chunks (up to three times as large): each node has a fixed cost, which more rows amortize. */
const NODES_PER_EXTRA_CHUNK = 2000;

/**
 * A chunk holds at most this many numbers at once, 32 MB. Kernel densities with thousands of centers and convolutions of images need about
 * 100,000 for each row, and were no faster with larger chunks.
 */
const MAX_CHUNK_NUMBERS = 2 ** 23;

/** The number of rows of a chunk. Tensors without a row axis, such as weights, do not limit it. */
export function chunkRows({ nodes, outputs }: Graph): number {
  const rows = Math.round(MIN_CHUNK_ROWS * Math.min(3, 1 + nodes.length / NODES_PER_EXTRA_CHUNK));
  const numbersOfRow = peakNumbersPerRow(
    nodes,
    outputs.map(({ tensor }) => tensor),
  );
  return Math.max(1, Math.min(rows, Math.floor(MAX_CHUNK_NUMBERS / numbersOfRow)));
}

/** For more rows than this share of a chunk, further threads save more time than their sessions cost. */
const MAX_SHARE_ON_ONE_THREAD = 1 / 8;

const threadsForRows = (rows: number, chunk: number, options: EngineOptions): number =>
  rows > MAX_SHARE_ON_ONE_THREAD * chunk ? threadCount(options) : 1;

/**
 * Rounds the number of rows of a call up, by at most 1/32 or to a multiple of 4. ONNX Runtime keeps a memory plan for each
 * number of rows that it has seen, and rounding limits these plans to 176.
 */
function roundUpRows(rows: number, maxRows: number): number {
  const step = Math.max(4, 2 ** (Math.floor(Math.log2(rows)) - 5));
  return Math.min(maxRows, step * Math.ceil(rows / step));
}

/** A parameter, its array when functions were compiled, and a copy of its numbers. */
interface CompiledParameter {
  readonly parameter: Parameter;
  readonly array: Floats;
  readonly copy: Floats;
}

/** An input: rows of `size` numbers, which are written or drawn chunk by chunk. */
export type RowInput = ArrayInput | NoiseInput;

/** An input without a row axis: [size] numbers for all rows. */
interface SharedInput {
  readonly size: number;
  readonly shared: ArrayLike<number>;
}

interface ArrayInput {
  readonly size: number;
  /** Fills `target` with the rows from index `start` on. */
  write(target: Floats, start: number): void;
}

/** Random numbers of a stream, starting at its row `first`. Each thread draws the numbers of its rows. */
interface NoiseInput {
  readonly size: number;
  readonly random: Random;
  readonly kind: "normal" | "uniform";
  readonly first: number;
}

/** Rows of an array as an input, standardized if `standardize` is given. Row i of the input is row `rowOf(i)` of the array. */
export function arrayInput(
  { values, features }: Pick<FlatRows, "values" | "features">,
  standardize?: Standardize,
  rowOf?: (row: number) => number,
): ArrayInput {
  if (!rowOf) {
    return {
      size: features,
      write(target, start) {
        const part = values.subarray(start * features, start * features + target.length);
        if (standardize) standardize.toLatent(part, target);
        else target.set(part);
      },
    };
  }
  // With `rowOf` rows are read repeatedly, so they are standardized once here and not in each write.
  const standardized = standardize?.toLatent(values) ?? values;
  return {
    size: features,
    write(target, start) {
      for (let i = 0, row = start; i < target.length; row++) {
        const from = rowOf(row) * features;
        for (let c = 0; c < features; c++) target[i++] = standardized[from + c];
      }
    },
  };
}

/** An array for `size` numbers of each row. Throws `ARGUMENT` if the memory is too small for it. */
function arrayFor(rows: number, size: number): Float64Array {
  try {
    return new Float64Array(rows * size);
  } catch {
    throw new PushforwardError("ARGUMENT", "the results do not fit in memory", {
      received: `${rows} rows with ${size} ${size === 1 ? "number" : "numbers"} each`,
      hint: "Compute them in several calls. For samples, the option start continues where an earlier call ended.",
    });
  }
}

/** Runs compiled functions over rows in chunks. It compiles a function at the first call, and again when a parameter has changed. */
export class BatchRunner {
  private readonly parameters: () => ReadonlyMap<string, Parameter>;
  /** The compiled functions with their sessions, by name and options. */
  private readonly compiled = new Map<string, ShardedFunction>();
  private compiledParameters: readonly CompiledParameter[] = [];
  /** The last call. The next one waits for it, since both write to the same arrays. */
  private lastCall: Promise<unknown> = Promise.resolve();

  constructor(parameters: BatchRunner["parameters"]) {
    this.parameters = parameters;
  }

  /**
   * Computes the outputs of `build` for any number of rows. Chunks of rows are distributed over the threads, and bound the memory.
   * `name` identifies the function in the cache.
   */
  run(...call: Parameters<BatchRunner["compute"]>): Promise<Record<string, Float64Array>> {
    const result = this.lastCall.then(() => this.compute(...call));
    this.lastCall = result.catch(() => undefined);
    return result;
  }

  /** Waits for the calls before, and then releases all sessions and the worker threads that nothing else uses. */
  release(): Promise<void> {
    const released = this.lastCall.then(async () => {
      await this.releaseCompiled();
      await terminateIdleWorkers();
    });
    this.lastCall = released.catch(() => undefined);
    return released;
  }

  private async compute(
    name: string,
    build: (...inputs: Tensor[]) => Record<string, Tensor>,
    inputs: readonly (RowInput | SharedInput)[],
    rows: number,
    options: RunOptions,
  ): Promise<Record<string, Float64Array>> {
    const compiled = await this.prepare(name, build, inputs, rows, options);
    const { rows: maxRows } = compiled;
    const shards = compiled.shards.slice(0, threadsForRows(rows, maxRows, options));
    const outputs = Object.fromEntries(
      Object.entries(shards[0].outputs).map(([key, { length }]) => [key, arrayFor(rows, length / maxRows)]),
    );
    for (let start = 0; start < rows; ) {
      const rowsPerThread = Math.ceil((rows - start) / shards.length);
      const shardRows = roundUpRows(Math.ceil(rowsPerThread / Math.ceil(rowsPerThread / maxRows)), maxRows);
      const activeShards = shards.slice(0, Math.ceil((rows - start) / shardRows));
      const writeInputs = (i: number) => {
        const shard = activeShards[i];
        const firstRow = start + i * shardRows;
        inputs.forEach((input, k) => {
          const target = shard.inputs[k].subarray(0, shardRows * input.size);
          if ("shared" in input) shard.inputs[k].set(input.shared);
          else if ("random" in input) writeNoise(target, input, firstRow, shard.noiseRequests[k]);
          else writeArray(target, input, firstRow, Math.min(shardRows, rows - firstRow));
        });
      };
      const readOutputs = (i: number) => {
        const firstRow = start + i * shardRows;
        for (const [key, array] of Object.entries(activeShards[i].outputs)) {
          const width = array.length / maxRows;
          outputs[key].set(array.subarray(0, Math.min(shardRows, rows - firstRow) * width), firstRow * width);
        }
      };
      for (let i = 1; i < activeShards.length; i++) writeInputs(i);
      try {
        await compiled.run(activeShards.length, shardRows, async (compute) => {
          writeInputs(0);
          await compute();
          readOutputs(0);
        });
      } catch (error) {
        // The thread of a session may have ended, so the next call compiles again.
        await this.releaseCompiled();
        throw error;
      }
      for (let i = 1; i < activeShards.length; i++) readOutputs(i);
      start += shardRows * shards.length;
    }
    return outputs;
  }

  /**
   * Returns the sessions of a function, on the threads for this number of rows or more. All functions are compiled again if a parameter has
   * changed, since parameters are embedded.
   */
  private async prepare(
    name: string,
    build: (...inputs: Tensor[]) => Record<string, Tensor>,
    inputs: readonly (RowInput | SharedInput)[],
    rows: number,
    options: CompileOptions,
  ): Promise<ShardedFunction> {
    if (!this.compiledParameters.every(isUnchanged)) await this.releaseCompiled();
    const key = JSON.stringify([name, options]);
    const cached = this.compiled.get(key);
    if (cached && cached.shards.length >= threadsForRows(rows, cached.rows, options)) return cached;
    this.compiled.delete(key);
    await cached?.release();
    const parameters = [...this.parameters()];
    const program = compile(
      build,
      inputs.map((input): Shape => ("shared" in input ? [input.size] : ["N", input.size])),
      {
        ...options,
        threads: intraOpThreads(options.threads),
        parameterNames: new Map(parameters.map(([name, parameter]) => [parameter, name])),
        embedParameters: true,
      },
    );
    // All parameters, since constants of a graph can depend on those that it does not read.
    this.compiledParameters = parameters.map(([, parameter]) => ({
      parameter,
      array: parameter.numbers,
      copy: parameter.numbers.slice(),
    }));
    const chunk = chunkRows(program.graph);
    const threads = threadsForRows(rows, chunk, options);
    const compiled = await ShardedFunction.create(program, threads, { rows: chunk });
    this.compiled.set(key, compiled);
    return compiled;
  }

  private async releaseCompiled(): Promise<void> {
    const compiled = [...this.compiled.values()];
    this.compiled.clear();
    this.compiledParameters = [];
    for (const each of compiled) await each.release();
  }
}

/** Writes `count` rows, and pads the rest of `target` with copies of them. */
function writeArray(target: Floats, input: ArrayInput, start: number, count: number): void {
  const filled = count * input.size;
  input.write(target.subarray(0, filled), start);
  for (let i = filled; i < target.length; i++) target[i] = target[i - filled];
}

/** Draws rows of noise into `target`, or, with a `request`, tells the worker thread to draw them. */
function writeNoise(
  target: Floats,
  { random, kind, size, first }: NoiseInput,
  start: number,
  request?: NoiseRequest,
): void {
  const offset = (first + start) * size;
  if (request) request.set([1, offset, ...random.stream(kind)]);
  else random[kind](target, { offset });
}

/**
 * Whether a parameter still has the numbers that were compiled. Comparing a million numbers takes a millisecond, so it is skipped
 * if the array is the same and `value` never returned it to a caller, who could have changed it.
 */
const isUnchanged = ({ parameter, array, copy }: CompiledParameter): boolean =>
  (parameter.numbers === array && !parameter.exposed) || equalBytes(parameter.numbers, copy);

/** `Buffer.compare` of Node is several times faster than a loop. */
const nodeBuffer = (globalThis as { Buffer?: { compare(a: Uint8Array, b: Uint8Array): number } }).Buffer;

function equalBytes(a: Floats, b: Floats): boolean {
  if (a.length !== b.length) return false;
  if (nodeBuffer) return nodeBuffer.compare(bytesOf(a), bytesOf(b)) === 0;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Floats) =>
  new Uint8Array(buffer, byteOffset, byteLength);
