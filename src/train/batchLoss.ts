import type { Batch, InMemoryDataset } from "../dataset/index.ts";
import { totalWeight } from "../dataset/inMemoryDataset.ts";
import { PushforwardError } from "../errors.ts";
import { formatShape, type Shape } from "../graph/shape.ts";
import { input, Tensor } from "../graph/tensor.ts";
import { type Draws, drawForBatch, drawForRows, traceTraining } from "../graph/tracing/drawn.ts";
import type { Random } from "../random/index.ts";
import type { Floats } from "../runtime/compile.ts";
import type { EngineOptions } from "../runtime/engineOptions.ts";
import { SharedLoss } from "./sharedLoss.ts";
import type { Weights } from "./weights.ts";

/** A batch of N rows, as tensors that a loss is written with. */
export interface LossBatch {
  /** The rows, [N, D]. Only where there are data. */
  readonly values: Tensor;
  /** Their context, [N, C]; undefined without a context. */
  readonly context: Tensor | undefined;
  /**
   * [N]: the weight of each row, divided by the weight that a batch has on average: 1 / N for rows of equal weight. Rows
   * that only fill a batch up have weight 0.
   */
  readonly weights: Tensor;
  /** The number of the training step, counted from 0: a scalar, for factors that change while training. */
  readonly step: Tensor;
  /** Standard normal numbers [N, size], new ones in each batch. */
  normal(size: number): Tensor;
  /** Uniform numbers from (0, 1), [N, size], new ones in each batch. */
  uniform(size: number): Tensor;
}

/**
 * A loss written with tensors over a batch: [N], a number for each row, whose weighted mean is minimized; or a scalar, which
 * is minimized as it is. A record also has quantities to report, each [N] or a scalar, beside the `loss`.
 */
export type Loss = (
  batch: LossBatch,
) => Tensor | ({ readonly loss: Tensor } & Readonly<Record<string, Tensor>>);

/** The loss and the other quantities of a batch. */
export type LossValues = { readonly loss: number } & Readonly<Record<string, number>>;

interface BatchLossOptions {
  readonly rows: number;
  readonly threads: number;
  readonly widths: { readonly features: number; readonly contextFeatures: number } | undefined;
  readonly withGradient: boolean;
  readonly perRow?: boolean | undefined;
}

/** Rows of a chunk that is only evaluated: enough for large products, small enough for a core's cache. */
const CHUNK = 1024;

/** A loss of batches, with or without its gradient by the weights. */
export class BatchLoss {
  private readonly loss: SharedLoss;
  /** Whether rows that only fill a batch up have an influence, so that they must be rows like any other. */
  private readonly wholeBatch: boolean;
  private readonly scalar: boolean;

  private constructor(loss: SharedLoss, wholeBatch: boolean, scalar: boolean) {
    this.loss = loss;
    this.wholeBatch = wholeBatch;
    this.scalar = scalar;
  }

  /**
   * The loss of batches of at most `rows` rows of the given widths (undefined where there are no data) with its gradient; or
   * without it, to be evaluated on any number of rows. `perRow` tells that the loss is known to give a number for each row.
   *
   * @throws SHAPE when the loss is no number for each row and no scalar.
   */
  static async of(
    loss: Loss,
    { trainable, flat, running: { parameters: running } }: Weights,
    { rows, threads, widths, withGradient, perRow }: BatchLossOptions,
    options: EngineOptions,
  ): Promise<BatchLoss> {
    const inputs: Shape[] = [["N"]];
    if (widths) inputs.push(["N", widths.features]);
    if (widths && widths.contextFeatures > 0) inputs.push(["N", widths.contextFeatures]);
    const scalar = !perRow && isScalar(loss, inputs);
    // A scalar must see its whole batch.
    const most = scalar ? 1 : threads;
    const share = Math.ceil(rows / most);
    const sharing = {
      withGradient,
      threads: most,
      share: withGradient || scalar ? share : Math.min(CHUNK, share),
      running,
    };
    const traced = {
      inputs,
      ofData: widths !== undefined,
      trace: (tensors: readonly Tensor[]) => sumsOf(loss, tensors),
    };
    const shared = await SharedLoss.of(traced, trainable, flat, sharing, options);
    return new BatchLoss(shared, scalar || (withGradient && running.length > 0), scalar);
  }

  /**
   * The loss of a batch, and its gradient in the flat buffer; `draws` is where it draws from. The batch is divided by
   * the weight that as many rows have on average: then its expectation is the weighted mean over all rows. Divided by the
   * batch's own weight, rows of large weight would have too little influence.
   */
  ofBatch({ rows, indices }: Batch, meanWeight: number, draws: Draws): Promise<LossValues> {
    return this.compute(rows, indices, meanWeight * indices.length, draws);
  }

  /** The loss of `count` rows that are drawn, and its gradient in the flat buffer. */
  async ofDraws(count: number, draws: Draws): Promise<LossValues> {
    const write = ([weights]: readonly Floats[], start: number, end: number) => {
      weights!.fill(1 / count, 0, end - start).fill(0, end - start);
    };
    return (await this.loss.evaluate(count, write, draws)) as LossValues;
  }

  /** The weighted mean of the loss over all rows. */
  async mean(rows: InMemoryDataset, draws: Draws): Promise<number> {
    const all = Int32Array.from({ length: rows.rows }, (_, i) => i);
    const total = totalWeight(rows);
    const step = this.loss.rows;
    let sum = 0;
    for (let start = 0, chunk = 0; start < rows.rows; start += step, chunk++) {
      const indices = all.subarray(start, start + step);
      const random = draws.random.split(chunk);
      const { loss } = await this.compute(rows, indices, total, { ...draws, random });
      sum += this.scalar ? (loss * totalWeight(rows, indices)) / total : loss;
    }
    return sum;
  }

  release(): Promise<void> {
    return this.loss.release();
  }

  private async compute(
    rows: InMemoryDataset,
    indices: Int32Array,
    total: number,
    draws: Draws,
  ): Promise<LossValues> {
    const missing = this.wholeBatch ? this.loss.rows - indices.length : 0;
    const fillers = missing > 0 ? someRows(rows.rows, missing, draws.random.split("fillers")) : undefined;
    const write = (inputs: readonly Floats[], start: number, end: number) =>
      fill(inputs, rows, indices.subarray(start, end), total, fillers);
    return (await this.loss.evaluate(indices.length, write, draws)) as LossValues;
  }
}

/** What a loss gives for a batch of weights, values and context. */
function quantitiesOf(loss: Loss, [weights, values, context]: readonly Tensor[]): Record<string, Tensor> {
  const result = loss({
    get values() {
      if (values) return values;
      throw new PushforwardError("ARGUMENT", "the loss reads the rows of a batch, and there are no data", {
        hint: "Give minimize the data, or draw rows: batch.normal(size).",
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

/** Whether a loss is a scalar, and not a number for each row. */
function isScalar(loss: Loss, shapes: readonly Shape[]): boolean {
  const tensors = shapes.map((shape, i) => input(`batch${i}`, shape));
  const { traced } = traceTraining(() => quantitiesOf(loss, tensors), { ofData: shapes.length > 1 });
  return traced.loss instanceof Tensor && traced.loss.rank === 0;
}

/** The quantities of a batch as scalars: weighted sums of those that have a number for each row. */
function sumsOf(loss: Loss, tensors: readonly Tensor[]): Record<string, Tensor> {
  const quantities = quantitiesOf(loss, tensors);
  const [weights] = tensors as [Tensor];
  const whole = quantities.loss instanceof Tensor && quantities.loss.rank === 0;
  const sumOf = (name: string, quantity: unknown): Tensor => {
    const isNumber = quantity instanceof Tensor && quantity.type === "float";
    // Threads that have a part of the batch each have as much of a scalar.
    if (isNumber && quantity.rank === 0) return whole ? quantity : quantity.mul(weights.sum());
    if (isNumber && quantity.rank === 1 && quantity.shape[0] === "N") return quantity.mul(weights).sum();
    const what = name === "loss" ? "the loss" : `"${name}", which is reported beside the loss,`;
    throw new PushforwardError("SHAPE", `${what} does not fit`, {
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

/** Rows at random, with which the last batch of an epoch has statistics like any other. */
function someRows(rows: number, count: number, random: Random): Int32Array {
  return Int32Array.from(random.uniform(new Float64Array(count)), (u) => Math.floor(u * rows));
}

/** Copies the chosen rows into the inputs of a thread; the rest of these gets the fillers or the first row, with weight 0. */
function fill(
  [weights, values, context]: readonly Floats[],
  rows: InMemoryDataset,
  indices: Int32Array,
  total: number,
  fillers: Int32Array = new Int32Array(0),
): void {
  const count = indices.length;
  weights!.fill(0, count);
  for (let i = 0; i < count; i++) weights![i] = rows.weights[indices[i]!]! / total;
  copyRows(values!, rows.values, rows.features, indices, fillers);
  if (rows.contextFeatures > 0) copyRows(context!, rows.context, rows.contextFeatures, indices, fillers);
}

/** The chosen rows one after the other, then the fillers, as many as there is room for, and then the first row. */
function copyRows(
  target: Floats,
  source: Float64Array,
  width: number,
  chosen: Int32Array,
  fillers: Int32Array,
): void {
  const count = target.length / width;
  let at = 0;
  for (let i = 0; i < count; i++) {
    const row = i < chosen.length ? chosen[i]! : (fillers[i - chosen.length] ?? chosen[0]!);
    for (let from = row * width; from < (row + 1) * width; from++) target[at++] = source[from]!;
  }
}
