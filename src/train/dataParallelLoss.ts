import { broadcastArray, type Communicator } from "../communicator/index.ts";
import {
  type Graph,
  grad,
  type MaskedParameter,
  maskedParameters,
  type Parameter,
  peakNumbersPerRow,
  type RandomInput,
  type RandomSource,
  type Shape,
  substitute,
  type Tensor,
  type TracedLoss,
  traceLoss,
} from "../graph/index.ts";
import {
  compile,
  deviceProviders,
  type EngineOptions,
  type Floats,
  intraOpThreads,
  type Shard,
  ShardedFunction,
  threadCount,
} from "../runtime/index.ts";
import type { FlatParameters } from "./flatParameters.ts";

/** With fewer rows in a shard than this, an additional thread takes longer than it saves. */
const MIN_ROWS_PER_SHARD = 32;

/**
 * The tensors of a shard hold at most this many numbers at once (256 MB), unless the model has many parameters or a single row has more. Copies
 * inside of operations, such as those of channels in blocks, are not counted. Each shard rearranges the weights of convolutions: with half of
 * this limit, a training step of the multi-scale flow of bench/images took 6 to 13% longer.
 */
const MAX_SHARD_NUMBERS = 2 ** 26;

/**
 * A shard may hold this many numbers for each parameter, because adding up the gradients of micro-batches takes time. With three micro-batches
 * instead of two, a training step of the TarFlow of bench/images, which has 3.2 million parameters, took 563 to 570 instead of 520 to 540 ms.
 */
const SHARD_NUMBERS_PER_PARAMETER = 20;

/** A loss that is a sum over the rows of a batch, so that each thread can compute the sum over one shard. */
export interface SummedLoss {
  /**
   * Whether the rows come from a dataset and are not drawn by the loss. Modules such as batch normalization take statistics of data, but not of
   * random draws.
   */
  readonly isData?: boolean;
  /** Shapes of the inputs. The leading axis of the first one is the batch. */
  readonly inputs: readonly Shape[];
  /** Returns scalars that are sums over the rows, one of them the `loss`, written with the inputs and any parameters. */
  trace(inputs: readonly Tensor[]): Readonly<Record<string, Tensor>>;
}

export interface DataParallelOptions {
  readonly withGradient: boolean;
  readonly threads: number;
  readonly communicator: Communicator;
  /** The number of processes among which the rows are split: the first ones. The others have no rows. */
  readonly processes: number;
  /** The largest number of rows of a batch that one thread computes. */
  readonly rowsPerThread: number;
  /** Whether a thread may compute its rows in several shards. Otherwise it computes one, whatever memory that takes. */
  readonly mayUseSeveralShards: boolean;
  /** Running statistics, such as those of batch normalization. Each call reads their current values. Default none. */
  readonly running?: readonly Parameter[] | undefined;
}

type Traced = Pick<TracedLoss<unknown>, "randomInputs" | "updates">;

/** The number of shards, and threads, into which a process splits its rows of a batch. */
export const shardCount = (batch: number, processes: number, engine: EngineOptions): number =>
  Math.max(1, Math.min(threadCount(engine), Math.floor(batch / processes / MIN_ROWS_PER_SHARD)));

/**
 * Computes a loss, with or without its gradient with respect to the flat parameters, on several threads of one or several processes.
 * Each process computes consecutive rows of the batch, in one or several micro-batches, and each of its threads one shard of each micro-batch.
 * Losses and gradients are summed in the order of the micro-batches, of the shards and of the ranks, so results depend on the numbers of
 * threads and processes (by rounding), but not on timing.
 */
export class DataParallelLoss {
  private readonly rowsPerThread: number;
  private readonly sharded: ShardedFunction;
  private readonly flat: FlatParameters;
  /** For each quantity, the name of the graph output that is its sum. */
  private readonly sums: readonly (readonly [name: string, output: string])[];
  private readonly withGradient: boolean;
  private readonly communicator: Communicator;
  private readonly processes: number;
  /** Inputs that every call fills with random numbers. They are the last ones, from index `firstDrawnInput` on. */
  private readonly drawnInputs: readonly RandomInput[];
  private readonly firstDrawnInput: number;
  /** Running statistics that a call updates, in the order of the outputs `update0`, `update1`... */
  private readonly updatedStatistics: readonly Parameter[];

  private constructor(
    sharded: ShardedFunction,
    flat: FlatParameters,
    { rowsPerThread, withGradient, communicator, processes }: DataParallelOptions,
    traced: Traced,
    names: readonly string[],
  ) {
    this.sharded = sharded;
    this.flat = flat;
    this.rowsPerThread = rowsPerThread;
    this.withGradient = withGradient;
    this.communicator = communicator;
    this.processes = processes;
    this.drawnInputs = traced.randomInputs;
    this.updatedStatistics = [...traced.updates.keys()];
    this.firstDrawnInput = sharded.shards[0].inputs.length - this.drawnInputs.length;
    this.sums = names.map((name, i) => [name, `sum${i}`]);
  }

  static async create(
    { inputs: lossInputs, trace, isData }: SummedLoss,
    parameters: ReadonlyMap<string, Parameter>,
    flat: FlatParameters,
    parallelOptions: DataParallelOptions,
    options: EngineOptions,
  ): Promise<DataParallelLoss> {
    const { withGradient, threads, rowsPerThread, mayUseSeveralShards, running = [] } = parallelOptions;
    const shapes = [
      ...lossInputs,
      ...flat.blocks.map(({ shape }) => shape),
      ...running.map(({ shape }) => shape),
    ];
    const firstRunningInput = lossInputs.length + flat.blocks.length;
    const bound = {
      inputs: Object.fromEntries([
        ...flat.blocks.map(({ start, end }, i) => [
          `input${lossInputs.length + i}`,
          flat.sharedValues.subarray(start, end),
        ]),
        ...running.map(({ value }, i) => [`input${firstRunningInput + i}`, value]),
      ]),
      outputs: Object.fromEntries(
        flat.blocks.map(({ start, end }, i) => [
          `gradient${i}`,
          flat.threadGradients.map((part) => part.subarray(start, end)),
        ]),
      ),
    };
    const trainable = [...parameters.values()];
    let trainingTrace: Traced = { randomInputs: [], updates: new Map() };
    let sumNames: string[] = [];
    const program = (...inputs: Tensor[]) => {
      const rows = inputs.slice(0, lossInputs.length);
      const traced = traceLoss(() => trace(rows), { batchStatistics: isData, training: withGradient });
      const sums = traced.result;
      trainingTrace = traced;
      sumNames = Object.keys(sums);
      const unpacked = flat.unpack(inputs.slice(lossInputs.length, firstRunningInput));
      const masked = parametersZeroUnderMasks(
        Object.values(sums),
        (parameter, mask) =>
          unpacked.has(parameter) && (withGradient || flat.hasMaskedGradient(parameter, mask)),
      );
      const packed = withGradient ? flat.pack(gradients(sums.loss, trainable, masked)) : [];
      if (withGradient) for (const { parameter, mask } of masked.values()) flat.maskGradient(parameter, mask);
      const updates = [...trainingTrace.updates.values()];
      const names = [
        ...sumNames.map((_, i) => `sum${i}`),
        ...packed.map((_, i) => `gradient${i}`),
        ...updates.map((_, i) => `update${i}`),
      ];
      const replacements = new Map<Tensor, Tensor>([
        ...unpacked,
        ...running.map((parameter, i): [Tensor, Tensor] => [parameter, inputs[firstRunningInput + i]]),
        ...[...masked.values()].flatMap(({ parameter, products }) =>
          products.map((product): [Tensor, Tensor] => [product, unpacked.get(parameter)!]),
        ),
      ]);
      const outputs = substitute([...Object.values(sums), ...packed, ...updates], replacements);
      return Object.fromEntries(names.map((name, i) => [name, outputs[i]]));
    };
    const threadsPerOperation = intraOpThreads(options.threads);
    const { providers } = options;
    const compileOptions = {
      providers,
      threads: threadsPerOperation,
      embedParameters: true,
    };
    const isDivided = mayUseSeveralShards && deviceProviders(providers).length === 0;
    const compiled = compile(program, shapes, compileOptions, {
      inputs: () => trainingTrace.randomInputs.map(({ tensor }) => tensor),
      batch: (graph) => (isDivided ? rowsOfShard(graph, rowsPerThread, flat.values.length) : rowsPerThread),
    });
    return new DataParallelLoss(
      await ShardedFunction.create(compiled, threads, bound),
      flat,
      parallelOptions,
      trainingTrace,
      sumNames,
    );
  }

  /** The largest number of rows that all threads of all processes together compute in a call. */
  get rows(): number {
    return this.rowsPerProcess * this.processes;
  }

  private get rowsPerProcess(): number {
    return this.rowsPerThread * this.sharded.shards.length;
  }

  /**
   * Returns the sums over `rows` rows, at most `this.rows`, and leaves the gradient of the loss in the flat buffer.
   * `fill(inputs, start, end)` writes rows `start` to `end - 1` into the inputs of one thread, and pads the rest of these inputs.
   * `randomSource` gives the random inputs of this call, and `firstDrawnRow` is the row to which the numbers of its first row belong.
   */
  async evaluate(
    rows: number,
    fill: (inputs: readonly Floats[], start: number, end: number) => void,
    randomSource: RandomSource,
    firstDrawnRow = 0,
  ): Promise<Readonly<Record<string, number>>> {
    const { communicator, flat, rowsPerProcess } = this;
    const { shards, rows: rowsPerShard } = this.sharded;
    const first = Math.min(rows, communicator.rank * rowsPerProcess);
    const end = Math.min(rows, first + rowsPerProcess);
    const sums = new Float64Array(this.sums.length);
    let used: readonly Shard[] = [];
    for (let microBatch = first; microBatch < end; microBatch += rowsPerShard * shards.length) {
      if (this.withGradient && used.length > 0) flat.accumulateGradients(used.length);
      used = shards.slice(0, Math.ceil((end - microBatch) / rowsPerShard));
      used.forEach(({ inputs }, i) => {
        const start = microBatch + i * rowsPerShard;
        fill(inputs, start, Math.min(end, start + rowsPerShard));
        this.drawnInputs.forEach((drawn, k) => {
          const source = { ...randomSource, random: randomSource.random.split(k) };
          drawn.fill(source, inputs[this.firstDrawnInput + k], firstDrawnRow + start);
        });
      });
      await this.sharded.run(used.length);
      this.sums.forEach(([, output], k) => {
        for (const { outputs } of used) sums[k] += outputs[output][0];
      });
    }
    if (this.withGradient) await flat.sumGradients(used.length, communicator);
    await this.updateStatistics(used[0]?.outputs);
    await communicator.sum(sums);
    return Object.fromEntries(this.sums.map(([name], i) => [name, sums[i]]));
  }

  /**
   * Updates the running statistics by the outputs of the first shard of rank 0, unless the batch made one of them NaN or infinite.
   * A process without rows has no outputs.
   */
  private async updateStatistics(outputs: Readonly<Record<string, Floats>> | undefined): Promise<void> {
    const values = this.updatedStatistics.map(({ value }, i) =>
      Float32Array.from(outputs?.[`update${i}`] ?? value),
    );
    for (const numbers of values) await broadcastArray(this.communicator, numbers);
    if (!values.every((numbers) => numbers.every(Number.isFinite))) return;
    this.updatedStatistics.forEach((parameter, i) => {
      parameter.value.set(values[i]);
    });
  }

  release(): Promise<void> {
    return this.sharded.release();
  }
}

/** The number of rows of a shard: those of a thread, divided into equal parts if they hold too many numbers at once. */
export function rowsOfShard({ nodes, outputs }: Graph, rowsPerThread: number, parameters: number): number {
  const numbersOfRow = peakNumbersPerRow(
    nodes,
    outputs.map(({ tensor }) => tensor),
  );
  const maxNumbers = Math.max(MAX_SHARD_NUMBERS, SHARD_NUMBERS_PER_PARAMETER * parameters);
  const maxRows = Math.max(1, Math.floor(maxNumbers / numbersOfRow));
  return Math.ceil(rowsPerThread / Math.ceil(rowsPerThread / maxRows));
}

type MaskedParameters = ReadonlyMap<Parameter, MaskedParameter>;

/**
 * The parameters that a graph multiplies by a mask and that are 0 wherever the mask is 0. The graph can leave this product out, if
 * training also sets their gradient to 0 under the mask, so that they stay 0 there. `staysZero` says whether training does this
 * for a mask. It does not for a mask that differs from the one in training, as when orderings change from batch to batch.
 */
const parametersZeroUnderMasks = (
  outputs: readonly Tensor[],
  staysZero: (parameter: Parameter, mask: readonly number[]) => boolean,
): MaskedParameters =>
  new Map(
    maskedParameters(outputs)
      .filter(({ parameter, mask }) => {
        const isZeroUnderMask = parameter.numbers.every((value, i) => value === 0 || mask[i] === 1);
        return isZeroUnderMask && staysZero(parameter, mask);
      })
      .map((masked) => [masked.parameter, masked]),
  );

/** The gradient of each parameter. For a masked parameter it is the gradient with respect to its product with the mask. */
function gradients(
  loss: Tensor,
  parameters: readonly Parameter[],
  masked: MaskedParameters,
): Map<Parameter, Tensor> {
  const variables = parameters.map((parameter) => masked.get(parameter)?.products ?? [parameter]);
  const remaining = grad(loss, variables.flat());
  return new Map(
    parameters.map((parameter, i) => {
      const parameterGradients = remaining.splice(0, variables[i].length);
      return [parameter, parameterGradients.reduce((sum, gradient) => sum.add(gradient))];
    }),
  );
}
