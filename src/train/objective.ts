import type { Flow } from "../flows/flow.ts";
import type { Draws } from "../graph/drawn.ts";
import type { Shape } from "../graph/shape.ts";
import type { Tensor } from "../graph/tensor.ts";
import type { Random } from "../random/index.ts";
import type { Floats } from "../runtime/compile.ts";
import type { EngineOptions } from "../runtime/engineOptions.ts";
import type { Descent } from "./descent.ts";
import { flowMatchingLoss } from "./flowMatching.ts";
import type { FitSettings } from "./options.ts";
import { type TrainingRows, totalWeight } from "./rows.ts";
import { SharedLoss, type Sharing, sharesOf } from "./sharedLoss.ts";

/** Rows of a validation chunk: enough for large products, small enough for a core's cache. */
const CHUNK = 1024;

/** What `fit` minimizes over a batch, as a weighted mean, with its gradients; and the weighted mean log-density of rows. */
export class Objective {
  private readonly gradients: SharedLoss;
  private readonly losses: SharedLoss;
  /** Whether rows that only fill a batch up count in its statistics. */
  private readonly wholeBatch: boolean;
  private readonly meanWeight: number;

  private constructor(gradients: SharedLoss, losses: SharedLoss, wholeBatch: boolean, meanWeight: number) {
    this.gradients = gradients;
    this.losses = losses;
    this.wholeBatch = wholeBatch;
    this.meanWeight = meanWeight;
  }

  /**
   * Takes the number of rows of a batch and of rows to validate, and the mean weight of the rows in batches. The loss of a
   * batch is divided by the weight that so many rows have on average, so its expectation is the weighted mean over all rows.
   * Divided by the batch's own weight, rows of large weight would have too little influence.
   */
  static async of(
    flow: Flow,
    { trainable, flat, running: { parameters: running } }: Descent,
    rows: { batch: number; validation: number; meanWeight: number },
    options: EngineOptions & { objective?: FitSettings["objective"] },
  ): Promise<Objective> {
    const context: Shape[] = flow.context > 0 ? [["N", flow.context]] : [];
    const likelihood = (x: Tensor, context?: Tensor) => flow.logProb(x, context).neg();
    const matching = (x: Tensor, context?: Tensor) => flowMatchingLoss(flow, x, context);
    const wholeBatch = running.length > 0;
    const threads = flat.parts.length;
    const most = sharesOf(rows.batch, options);
    const part = (lossOfRow: typeof likelihood, sharing: Omit<Sharing, "running">) => {
      const loss = {
        inputs: [["N"], ["N", flow.features], ...context] satisfies Shape[],
        ofData: true,
        trace: ([weights, x, context]: readonly Tensor[]) => ({
          loss: lossOfRow(x, context).mul(weights).sum(),
        }),
      };
      return SharedLoss.of(loss, trainable, flat, { ...sharing, running }, options);
    };
    const minimized = options.objective === "flowMatching" ? matching : likelihood;
    const share = Math.ceil(rows.batch / threads);
    const chunk = Math.min(CHUNK, Math.ceil(rows.validation / most));
    return new Objective(
      await part(minimized, { withGradient: true, threads, share }),
      await part(likelihood, { withGradient: false, threads: most, share: chunk }),
      wholeBatch,
      rows.meanWeight,
    );
  }

  /** Loss of a batch, and its gradient in the flat buffer; `draws` is where the batch draws from. */
  async lossAndGradient(rows: TrainingRows, indices: Int32Array, draws: Draws): Promise<number> {
    const missing = this.wholeBatch ? this.gradients.rows - indices.length : 0;
    const fillers = missing > 0 ? someRows(rows.rows, missing, draws.random.split("fillers")) : undefined;
    return turn(this.gradients, rows, indices, this.meanWeight * indices.length, { draws, fillers });
  }

  /** Weighted mean log-density over all rows, in nats. */
  async meanLogDensity(rows: TrainingRows): Promise<number> {
    const all = Int32Array.from({ length: rows.rows }, (_, i) => i);
    const total = totalWeight(rows, all);
    const step = this.losses.rows;
    let sum = 0;
    for (let start = 0; start < rows.rows; start += step)
      sum -= await turn(this.losses, rows, all.subarray(start, start + step), total);
    return sum;
  }

  async release(): Promise<void> {
    await this.gradients.release();
    await this.losses.release();
  }
}

/** The loss of the chosen rows. */
async function turn(
  loss: SharedLoss,
  rows: TrainingRows,
  indices: Int32Array,
  total: number,
  { draws, fillers }: { draws?: Draws; fillers?: Int32Array } = {},
) {
  const write = (inputs: readonly Floats[], start: number, end: number) =>
    fill(inputs, rows, indices.subarray(start, end), total, fillers);
  return (await loss.turn(indices.length, write, draws)).loss;
}

/** Rows at random, with which the last batch of an epoch has statistics like any other. */
function someRows(rows: number, count: number, random: Random): Int32Array {
  return Int32Array.from(random.uniform(new Float64Array(count)), (u) => Math.floor(u * rows));
}

/** Copies the chosen rows into a share; what is left of it gets the fillers or repeats the first, with weight 0. */
function fill(
  inputs: readonly Floats[],
  rows: TrainingRows,
  indices: Int32Array,
  total: number,
  fillers: Int32Array = new Int32Array(),
): void {
  const [weights, values, context] = inputs;
  const count = indices.length;
  weights.fill(0, count);
  for (let i = 0; i < count; i++) weights[i] = rows.weights[indices[i]] / total;
  copyRows(values, rows.values, values.length / weights.length, indices, fillers);
  if (rows.context.length > 0)
    copyRows(context, rows.context, context.length / weights.length, indices, fillers);
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
    const row = i < chosen.length ? chosen[i] : (fillers[i - chosen.length] ?? chosen[0]);
    for (let from = row * width; from < (row + 1) * width; from++) target[at++] = source[from];
  }
}
