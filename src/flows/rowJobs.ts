import type { Standardize } from "../bijections/standardize.ts";
import type { FlatRows } from "../dataset/rowsInput.ts";
import type { Parameter } from "../graph/parameter.ts";
import type { Shape } from "../graph/shape.ts";
import type { Tensor } from "../graph/tensor.ts";
import type { Precision } from "../onnx/export.ts";
import type { Random } from "../random/index.ts";
import { type CompileOptions, compile, type Floats } from "../runtime/compile.ts";
import type { EngineOptions } from "../runtime/engineOptions.ts";
import { intraOpThreads, type Shard, ShardedFunction, threadCount } from "../runtime/shardedFunction.ts";
import { type NoiseRequest, terminateIdleWorkers } from "../runtime/workerPool.ts";

/** How rows are computed. */
export interface RunOptions extends EngineOptions {
  /** Default `float32`. */
  precision?: Precision;
}

/** Rows at a time: enough for large products, small enough for a core's cache. */
const CHUNK = 1024;

/** As many again for so many nodes, up to three times as many: a node has costs that do not depend on its rows. */
const MANY_NODES = 2000;

const chunkOf = (nodes: number): number => Math.round(CHUNK * Math.min(3, 1 + nodes / MANY_NODES));

/** More rows than these are worth a second thread, with a session of its own. */
const ALONE = 256;

/**
 * Rows of a turn. The runtime keeps a plan of its memory for each number of rows that it has seen, so these are rounded up, by
 * a 32nd or to a multiple of 16: 112 plans at most.
 */
function roundedUp(rows: number, most: number): number {
  const step = Math.max(16, 2 ** (Math.floor(Math.log2(rows)) - 5));
  return Math.min(most, step * Math.ceil(rows / step));
}

/** A compiled job, and the parameters that it was made of with what they were. */
interface Job {
  readonly team: ShardedFunction;
  readonly made: readonly {
    readonly parameter: Parameter;
    readonly numbers: Floats;
    readonly copy: Floats;
  }[];
}

/** An input of a job: rows of `size` numbers, which need not all be there at once. */
export type Rows = GivenRows | NoiseRows;

interface GivenRows {
  readonly size: number;
  /** Writes the rows from number `start` on that `target` has room for. */
  write(target: Floats, start: number): void;
}

/** Random numbers from row `first` on: each thread draws its own. */
interface NoiseRows {
  readonly size: number;
  readonly random: Random;
  readonly kind: "normal" | "uniform";
  readonly first: number;
}

/** Given rows, standardized on their way if told. Row i is the given row `rowOf(i)`, by default i itself. */
export function rowsOf(
  { values, features }: Pick<FlatRows, "values" | "features">,
  standardize?: Standardize,
  rowOf?: (row: number) => number,
): GivenRows {
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
  // Few rows stand for many: they are standardized once.
  const ready = standardize?.toLatent(values) ?? values;
  return {
    size: features,
    write(target, start) {
      for (let i = 0, row = start; i < target.length; row++) {
        const from = rowOf(row) * features;
        for (let c = 0; c < features; c++) target[i++] = ready[from + c];
      }
    },
  };
}

/** What a flow computes of rows, by name: graphs are compiled when first asked for, and kept while the parameters stay. */
export class RowJobs {
  private readonly parameters: () => ReadonlyMap<string, Parameter>;
  private readonly jobs = new Map<string, Job>();
  /** The last call: the next waits for it, since calls share the arrays of their jobs. */
  private last: Promise<unknown> = Promise.resolve();

  constructor(parameters: RowJobs["parameters"]) {
    this.parameters = parameters;
  }

  /** Runs a job over any number of rows in chunks, shared among threads, so that memory stays bounded. */
  run(...call: Parameters<RowJobs["compute"]>): Promise<Record<string, Float64Array>> {
    const result = this.last.then(() => this.compute(...call));
    this.last = result.catch(() => undefined);
    return result;
  }

  /** Releases the sessions of all jobs when the calls before are done, and worker threads that nobody needs any more. */
  release(): Promise<void> {
    const released = this.last.then(async () => {
      const jobs = [...this.jobs.values()];
      this.jobs.clear();
      for (const { team } of jobs) await team.release();
      await terminateIdleWorkers();
    });
    this.last = released.catch(() => undefined);
    return released;
  }

  private async compute(
    name: string,
    build: (...inputs: Tensor[]) => Record<string, Tensor>,
    inputs: readonly Rows[],
    rows: number,
    options: RunOptions,
  ): Promise<Record<string, Float64Array>> {
    const team = await this.job(
      name,
      build,
      inputs,
      options,
      rows > ALONE ? threadCount(options.threads) : 1,
    );
    const { shards: slots, rows: most } = team;
    const outputs = Object.fromEntries(
      Object.entries(slots[0].outputs).map(([key, { length }]) => [
        key,
        new Float64Array((rows * length) / most),
      ]),
    );
    for (let start = 0; start < rows; ) {
      const left = Math.ceil((rows - start) / slots.length);
      const share = roundedUp(Math.ceil(left / Math.ceil(left / most)), most);
      const used = slots.slice(0, Math.ceil((rows - start) / share));
      const prepare = (slot: Shard, i: number) => {
        const from = start + i * share;
        inputs.forEach((input, k) => {
          const target = slot.inputs[k].subarray(0, share * input.size);
          if ("random" in input) draw(target, input, from, slot.noiseRequests[k]);
          else fill(target, input, from, Math.min(share, rows - from));
        });
      };
      const collect = (slot: Shard, i: number) => {
        const from = start + i * share;
        for (const [key, { length }] of Object.entries(slot.outputs)) {
          const width = length / most;
          outputs[key].set(slot.outputs[key].subarray(0, Math.min(share, rows - from) * width), from * width);
        }
      };
      const others = [...used.entries()].slice(1);
      for (const [i, slot] of others) prepare(slot, i);
      await team.run(used.length, share, async (compute) => {
        prepare(used[0], 0);
        await compute();
        collect(used[0], 0);
      });
      for (const [i, slot] of others) collect(slot, i);
      start += share * slots.length;
    }
    return outputs;
  }

  /** The job's sessions, made anew where the parameters have changed: the runtime prepares for them as they are. */
  private async job(
    name: string,
    build: (...inputs: Tensor[]) => Record<string, Tensor>,
    inputs: readonly Rows[],
    options: CompileOptions,
    threads: number,
  ): Promise<ShardedFunction> {
    const key = JSON.stringify([name, threads, options]);
    let job = this.jobs.get(key);
    if (!job?.made.every(unchanged)) {
      await job?.team.release();
      const parameters = this.parameters();
      const compiled = compile(
        build,
        inputs.map(({ size }): Shape => ["N", size]),
        {
          ...options,
          threads: intraOpThreads(options.threads),
          parameterNames: new Map(Array.from(parameters, ([name, parameter]) => [parameter, name])),
          embedParameters: true,
        },
      );
      const made = [...parameters.values()].map((parameter) => ({
        parameter,
        numbers: parameter.numbers,
        copy: parameter.numbers.slice(),
      }));
      const chunk = chunkOf(compiled.graph.nodes.length);
      job = { team: await ShardedFunction.create(compiled, threads, { rows: chunk }), made };
      this.jobs.set(key, job);
    }
    return job.team;
  }
}

/** Writes `count` rows to where a job reads them; what is left of it repeats the first. */
function fill(target: Floats, input: GivenRows, start: number, count: number): void {
  const filled = count * input.size;
  input.write(target.subarray(0, filled), start);
  for (let i = filled; i < target.length; i++) target[i] = target[i - filled];
}

/** Draws rows of noise to where a job reads them, or tells the thread that will. */
function draw(
  target: Floats,
  { random, kind, size, first }: NoiseRows,
  start: number,
  words?: NoiseRequest,
): void {
  const offset = (first + start) * size;
  if (words) words.set([1, offset, ...random.stream(kind)]);
  else random[kind](target, { offset });
}

/** To compare a million numbers takes a millisecond: it is left out where nobody can have written to them. */
const unchanged = ({ parameter, numbers, copy }: Job["made"][number]): boolean =>
  (parameter.numbers === numbers && !parameter.exposed) || equal(parameter.numbers, copy);

/** Node compares memory several times as fast as a loop does. */
const node = (globalThis as { Buffer?: { compare(a: Uint8Array, b: Uint8Array): number } }).Buffer;

function equal(a: Floats, b: Floats): boolean {
  if (a.length !== b.length) return false;
  if (node) return node.compare(bytesOf(a), bytesOf(b)) === 0;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Floats) =>
  new Uint8Array(buffer, byteOffset, byteLength);
