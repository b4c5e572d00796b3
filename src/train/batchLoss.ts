import { PushforwardError } from "../check/index.ts";
import type { Communicator } from "../communicator/index.ts";
import { type Batch, type InMemoryDataset, type StoredValues, totalWeight } from "../dataset/index.ts";
import {
  drawForBatch,
  drawForRows,
  formatShape,
  input,
  type RandomSource,
  type Shape,
  Tensor,
  traceLoss,
} from "../graph/index.ts";
import type { Random } from "../random/index.ts";
import type { EngineOptions, Floats } from "../runtime/index.ts";
import { DataParallelLoss } from "./dataParallelLoss.ts";
import type { Weights } from "./weights.ts";

/** The tensors of a batch of N rows, with which a loss is written. */
export interface LossBatch {
  /** The rows of data, [N, D]. Reading them throws `ARGUMENT` when `minimize` was called without data. */
  readonly values: Tensor;
  /** The context of the rows, [N, C]; undefined without a context. */
  readonly context: Tensor | undefined;
  /**
   * `[N]`: the weight of each row, divided by the average total weight of a batch: 1 / N if all rows have the same weight. Rows
   * that only pad the last batch of an epoch have weight 0.
   */
  readonly weights: Tensor;
  /** The index of the training step, counted from 0: a scalar, for factors that change during training. */
  readonly step: Tensor;
  /** Standard normal numbers, [N, size], drawn again for each batch. */
  normal(size: number): Tensor;
  /** Uniform numbers in (0, 1), [N, size], drawn again for each batch. */
  uniform(size: number): Tensor;
}

/**
 * A loss as a function of the tensors of a batch. It returns one number for each row, [N], whose weighted mean is minimized, or a
 * scalar, which is minimized directly. It may also return a record with the `loss` and further quantities to report,
 * each of them [N] or a scalar.
 */
export type Loss = (
  batch: LossBatch,
) => Tensor | ({ readonly loss: Tensor } & Readonly<Record<string, Tensor>>);

/** The loss and the other quantities of a batch. */
export type LossValues = { readonly loss: number } & Readonly<Record<string, number>>;

interface BatchLossOptions {
  /** The largest number of rows in a batch. */
  readonly rows: number;
  /** The number of threads of each process, the same on all ranks. */
  readonly threads: number;
  readonly communicator: Communicator;
  /** D and C of the rows; undefined without data. */
  readonly widths: { readonly features: number; readonly contextFeatures: number } | undefined;
  readonly withGradient: boolean;
  /** True if the loss is known to return a number for each row, which saves a trace. */
  readonly returnsLossPerRow?: boolean | undefined;
}

/** Rows of a chunk that is evaluated without a gradient: enough for efficient matrix products, and few enough for a core's cache. */
const EVALUATION_CHUNK_ROWS = 1024;
/** The largest number of inputs of a chunk, so that chunks of wide rows have fewer rows: a hidden layer may have hundreds of values for each input. */
const EVALUATION_CHUNK_VALUES = 2 ** 16;

const evaluationRows = (features: number): number =>
  Math.min(EVALUATION_CHUNK_ROWS, Math.ceil(EVALUATION_CHUNK_VALUES / features));

/** A compiled `Loss`, with or without its gradient with respect to the weights. */
export class BatchLoss {
  private readonly dataParallelLoss: DataParallelLoss;
  /**
   * Whether rows that only pad a batch influence the result despite their weight of 0, through a scalar loss or through batch
   * statistics. If they do, they must be random rows of the data; otherwise copies of one row suffice.
   */
  private readonly padsWithRealRows: boolean;
  private readonly scalar: boolean;

  private constructor(dataParallelLoss: DataParallelLoss, padsWithRealRows: boolean, scalar: boolean) {
    this.dataParallelLoss = dataParallelLoss;
    this.padsWithRealRows = padsWithRealRows;
    this.scalar = scalar;
  }

  /**
   * Compiles a loss. With its gradient it computes batches of at most `rows` rows; without, any number of rows in chunks.
   *
   * @throws SHAPE when the loss is neither one number for each row nor a scalar.
   */
  static async create(
    loss: Loss,
    { trainable, flat, running: { parameters: running } }: Weights,
    { rows, threads, communicator, widths, withGradient, returnsLossPerRow }: BatchLossOptions,
    options: EngineOptions,
  ): Promise<BatchLoss> {
    const inputs: Shape[] = [["N"]];
    if (widths) inputs.push(["N", widths.features]);
    if (widths && widths.contextFeatures > 0) inputs.push(["N", widths.contextFeatures]);
    const scalar = !returnsLossPerRow && isScalarLoss(loss, inputs);
    // A scalar loss is not a sum over rows, so one thread of one process computes the whole batch.
    const [processes, threadCount] = scalar ? [1, 1] : [communicator.size, threads];
    const rowsPerThread = Math.ceil(rows / processes / threadCount);
    // A scalar loss and the statistics of a batch depend on all of its rows.
    const dependsOnAllRows = scalar || (withGradient && running.length > 0);
    const parallelOptions = {
      withGradient,
      threads: threadCount,
      communicator,
      processes,
      rowsPerThread:
        withGradient || scalar
          ? rowsPerThread
          : Math.min(evaluationRows(widths?.features ?? 1), rowsPerThread),
      mayUseSeveralShards: !dependsOnAllRows,
      running,
    };
    const summedLoss = {
      inputs,
      isData: widths !== undefined,
      trace: (tensors: readonly Tensor[]) => weightedSums(loss, tensors),
    };
    const dataParallelLoss = await DataParallelLoss.create(
      summedLoss,
      trainable,
      flat,
      parallelOptions,
      options,
    );
    return new BatchLoss(dataParallelLoss, dependsOnAllRows, scalar);
  }

  /**
   * Returns the loss of a batch, and leaves its gradient in the flat buffer.
   *
   * The weighted sum is divided by `meanWeight` times the number of rows, so that its expectation is the weighted
   * mean over all rows. Division by the total weight of this batch would give rows of large weight too little influence.
   */
  evaluateBatch(
    { rows, indices }: Batch,
    meanWeight: number,
    randomSource: RandomSource,
  ): Promise<LossValues> {
    return this.evaluateRows(rows, indices, meanWeight * indices.length, randomSource);
  }

  /** Returns the loss of `count` rows that the loss draws itself, and leaves its gradient in the flat buffer. */
  async evaluateDrawn(count: number, randomSource: RandomSource): Promise<LossValues> {
    const writeInputs = ([weights]: readonly Floats[], start: number, end: number) => {
      weights!.fill(1 / count, 0, end - start).fill(0, end - start);
    };
    return (await this.dataParallelLoss.evaluate(count, writeInputs, randomSource)) as LossValues;
  }

  /**
   * Returns the weighted mean of the loss over all rows or, for a scalar loss, the weighted mean of the losses of chunks of the rows. The
   * random numbers of a row do not depend on how the rows are split into chunks.
   */
  async mean(rows: InMemoryDataset, randomSource: RandomSource): Promise<number> {
    const order = Int32Array.from({ length: rows.rows }, (_, i) => i);
    const total = totalWeight(rows);
    const rowsPerCall = this.dataParallelLoss.rows;
    let sum = 0;
    for (let start = 0; start < rows.rows; start += rowsPerCall) {
      const indices = order.subarray(start, start + rowsPerCall);
      if (!this.scalar) {
        sum += (await this.evaluateRows(rows, indices, total, randomSource, start)).loss;
        continue;
      }
      const weight = totalWeight(rows, indices);
      if (weight === 0) continue;
      const { loss } = await this.evaluateRows(rows, indices, weight, randomSource, start);
      sum += (loss * weight) / total;
    }
    return sum;
  }

  release(): Promise<void> {
    return this.dataParallelLoss.release();
  }

  private async evaluateRows(
    rows: InMemoryDataset,
    indices: Int32Array,
    total: number,
    randomSource: RandomSource,
    firstDrawnRow = 0,
  ): Promise<LossValues> {
    const missing = this.padsWithRealRows ? this.dataParallelLoss.rows - indices.length : 0;
    const padding =
      missing > 0 ? randomRows(rows.rows, missing, randomSource.random.split("fillers")) : undefined;
    const writeInputs = (inputs: readonly Floats[], start: number, end: number) =>
      writeRows(inputs, rows, indices.subarray(start, end), total, padding);
    const { dataParallelLoss } = this;
    return (await dataParallelLoss.evaluate(
      indices.length,
      writeInputs,
      randomSource,
      firstDrawnRow,
    )) as LossValues;
  }
}

/** Calls a loss with the tensors of a batch, and returns the loss and the other quantities by name. */
function evaluateLoss(loss: Loss, [weights, values, context]: readonly Tensor[]): Record<string, Tensor> {
  const result = loss({
    get values() {
      if (values) return values;
      throw new PushforwardError("ARGUMENT", "the loss reads batch.values, but minimize got no data", {
        hint: "Give minimize the data, or draw rows with batch.normal(size).",
      });
    },
    context,
    weights: weights!,
    get step() {
      return drawForBatch([], ({ step }) => [step]);
    },
    normal: (size) => drawForRows("normal", size),
    uniform: (size) => drawForRows("uniform", size),
  });
  return result instanceof Tensor ? { loss: result } : result;
}

/** Whether a loss returns a scalar. */
function isScalarLoss(loss: Loss, shapes: readonly Shape[]): boolean {
  const tensors = shapes.map((shape, i) => input(`batch${i}`, shape));
  const { result } = traceLoss(() => evaluateLoss(loss, tensors), { batchStatistics: shapes.length > 1 });
  return result.loss instanceof Tensor && result.loss.rank === 0;
}

/** The quantities of a batch as scalars: a quantity [N] becomes its weighted sum over the rows. */
function weightedSums(loss: Loss, tensors: readonly Tensor[]): Record<string, Tensor> {
  const quantities = evaluateLoss(loss, tensors);
  const [weights] = tensors as [Tensor];
  const lossIsScalar = quantities.loss instanceof Tensor && quantities.loss.rank === 0;
  const sumOf = (name: string, quantity: unknown): Tensor => {
    const isFloat = quantity instanceof Tensor && quantity.type === "float";
    // The shards are summed, so each shard contributes a scalar metric in proportion to its weight.
    if (isFloat && quantity.rank === 0) return lossIsScalar ? quantity : quantity.mul(weights.sum());
    if (isFloat && quantity.rank === 1 && quantity.shape[0] === "N") return quantity.mul(weights).sum();
    const what = name === "loss" ? "the loss" : `"${name}", a quantity that the loss reports,`;
    throw new PushforwardError("SHAPE", `${what} has a wrong shape`, {
      expected: "a tensor [N], a number for each row, or a scalar tensor",
      received:
        quantity instanceof Tensor ? `${formatShape(quantity.shape)} (${quantity.type})` : typeof quantity,
      hint: "Sum over the features only, as x.square().sum(-1) does.",
    });
  };
  return Object.fromEntries(
    Object.entries(quantities).map(([name, quantity]) => [name, sumOf(name, quantity)]),
  );
}

/** Indices of random rows. With them as padding, the last batch of an epoch has the same statistics as any other batch. */
function randomRows(rows: number, count: number, random: Random): Int32Array {
  return Int32Array.from(random.uniform(new Float64Array(count)), (u) => Math.floor(u * rows));
}

/** Writes the rows `indices` and their weights, divided by `total`, into the inputs of a thread, and pads with rows of weight 0. */
function writeRows(
  [weights, values, context]: readonly Floats[],
  rows: InMemoryDataset,
  indices: Int32Array,
  total: number,
  padding: Int32Array = new Int32Array(0),
): void {
  const count = indices.length;
  weights!.fill(0, count);
  for (let i = 0; i < count; i++) weights![i] = rows.weights[indices[i]!]! / total;
  copyRows(values!, rows.storedValues, rows.features, indices, padding);
  if (rows.contextFeatures > 0) copyRows(context!, rows.context, rows.contextFeatures, indices, padding);
}

/** Fills `target` with the rows `indices`, then with the rows `padding`, and then with copies of the first row. */
function copyRows(
  target: Floats,
  source: StoredValues,
  width: number,
  indices: Int32Array,
  padding: Int32Array,
): void {
  const count = target.length / width;
  let position = 0;
  for (let i = 0; i < count; i++) {
    const row = i < indices.length ? indices[i]! : (padding[i - indices.length] ?? indices[0]!);
    for (let from = row * width; from < (row + 1) * width; from++) target[position++] = source[from]!;
  }
}
