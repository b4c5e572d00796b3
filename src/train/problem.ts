import type { Communicator } from "../communicator/index.ts";
import { type Batch, type Batches, type Dataset, InMemoryDataset, range } from "../dataset/index.ts";
import type { RandomSource } from "../graph/index.ts";
import { Random } from "../random/index.ts";
import type { EngineOptions } from "../runtime/index.ts";
import { BatchLoss, type Loss, type LossBatch, type LossValues } from "./batchLoss.ts";
import type { TrainingSettings } from "./options.ts";
import { sharedBatches } from "./sharedBatches.ts";
import type { Weights } from "./weights.ts";

/** The rows of a training run. */
export interface TrainingRows {
  readonly training: Dataset;
  /** Held-out rows for early stopping; undefined if there is none. */
  readonly validation: InMemoryDataset | undefined;
}

/** The cause of a loss that is not finite. `where` names the layer and the row, or the drawn point, if it is known. */
export interface Explanation {
  readonly where?: string;
  readonly hint?: string;
}

/** An optimization problem: the loss to minimize, and functions that prepare rows and explain failures. */
export interface Problem {
  /** The subject of error messages, such as "training". */
  readonly name: string;
  /** The loss to minimize. A loss that changes during training, as in KL warm-up, may depend on the number of steps of an epoch. */
  readonly loss: (batch: LossBatch, stepsPerEpoch: number) => ReturnType<Loss>;
  /** The loss of validation rows, if it differs from `loss`. */
  readonly validationLoss?: Loss | undefined;
  /** The number of epochs at the start in which `loss` still changes, as during KL warm-up. Default 0. */
  readonly warmUpEpochs?: number;
  /** True if the losses are known to return a number for each row. */
  readonly returnsLossPerRow?: boolean;
  /** Transforms all rows before they are used, for example by standardization. */
  readonly prepare?: (rows: InMemoryDataset) => InMemoryDataset;
  /**
   * Finds the cause of a loss that is not finite, from the rows of the batch or, without data, from `randomSource`.
   * `isBeforeFirstStep` is true before the first step. Throws if training cannot help.
   */
  readonly explain?: (
    rows: InMemoryDataset | undefined,
    situation: { readonly isBeforeFirstStep: boolean; readonly randomSource?: RandomSource },
  ) => Promise<Explanation | undefined>;
}

/** Without data, this many steps are an epoch: the interval of records, plateaus and recovery. */
export const STEPS_PER_EPOCH_WITHOUT_DATA = 100;
/** If the validation loss differs from the training loss, it is also reported for at most this many training rows. */
const MAX_EVALUATED_TRAINING_ROWS = 1000;

/** How the losses of a problem are computed. */
interface ParallelOptions {
  readonly communicator: Communicator;
  /** The number of threads of each process, the same on all ranks. */
  readonly threads: number;
  readonly engine: EngineOptions;
}

/** The input of one training step. */
export interface Step {
  /** The rows; undefined without data. */
  readonly batch: Batch | undefined;
  /** The number of rows, of data or drawn. */
  readonly rows: number;
  /** The source of random numbers. */
  readonly randomSource: RandomSource;
}

/** The rows of a training run after `Problem.prepare`. */
interface PreparedRows {
  readonly widths: Pick<Dataset, "features" | "contextFeatures">;
  readonly batches: Batches;
  readonly validation: InMemoryDataset | undefined;
  /** Training rows that are evaluated after each epoch if the validation loss differs from the training loss. */
  readonly sample: InMemoryDataset | undefined;
}

/** A compiled `Problem` with its rows. It generates the steps of an epoch and computes losses. */
export class CompiledProblem {
  readonly stepsPerEpoch: number;
  /** The number of epochs without data. Undefined with data: the settings limit the epochs. */
  readonly epochs: number | undefined;
  private readonly rows: PreparedRows | undefined;
  private readonly stepLoss: BatchLoss;
  private readonly evaluationLoss: BatchLoss | undefined;
  private readonly batchSize: number;
  private readonly settings: TrainingSettings;

  private constructor(
    rows: PreparedRows | undefined,
    stepLoss: BatchLoss,
    evaluationLoss: BatchLoss | undefined,
    batchSize: number,
    settings: TrainingSettings,
  ) {
    this.rows = rows;
    this.stepLoss = stepLoss;
    this.evaluationLoss = evaluationLoss;
    this.batchSize = batchSize;
    this.settings = settings;
    this.stepsPerEpoch = stepsPerEpochOf(rows, batchSize);
    this.epochs = rows ? undefined : Math.ceil(settings.steps / STEPS_PER_EPOCH_WITHOUT_DATA);
  }

  static async create(
    problem: Problem,
    weights: Weights,
    data: TrainingRows | undefined,
    settings: TrainingSettings,
    { communicator, threads, engine }: ParallelOptions,
  ): Promise<CompiledProblem> {
    const batchSize = Math.min(settings.batchSize, data?.training.rows ?? settings.batchSize);
    const rows = data && preparedRows(data, problem, { batchSize, seed: settings.seed, communicator });
    const stepsPerEpoch = stepsPerEpochOf(rows, batchSize);
    const loss: Loss = (batch) => problem.loss(batch, stepsPerEpoch);
    const { validationLoss = loss, returnsLossPerRow } = problem;
    const common = { widths: rows?.widths, returnsLossPerRow, communicator };
    const gradientThreads = weights.flat.threadGradients.length;
    const stepOptions = { ...common, rows: batchSize, threads: gradientThreads, withGradient: true };
    const stepLoss = await BatchLoss.create(loss, weights, stepOptions, engine);
    const count = rows?.validation?.rows;
    if (count === undefined) return new CompiledProblem(rows, stepLoss, undefined, batchSize, settings);
    const evaluationOptions = { ...common, rows: count, threads, withGradient: false };
    try {
      const evaluationLoss = await BatchLoss.create(validationLoss, weights, evaluationOptions, engine);
      return new CompiledProblem(rows, stepLoss, evaluationLoss, batchSize, settings);
    } catch (error) {
      await stepLoss.release();
      throw error;
    }
  }

  /** Whether there are validation rows. */
  get hasValidation(): boolean {
    return this.rows?.validation !== undefined;
  }

  /** Generates the steps of an epoch, in an order that depends only on the seed and the epoch. */
  async *steps(epoch: number): AsyncGenerator<Step> {
    let step = 0;
    if (this.rows) {
      for await (const batch of this.rows.batches.epoch(epoch))
        yield { batch, rows: batch.indices.length, randomSource: this.randomSource(epoch, step++) };
      return;
    }
    const steps = this.stepsOf(epoch);
    while (step < steps)
      yield { batch: undefined, rows: this.batchSize, randomSource: this.randomSource(epoch, step++) };
  }

  /** The number of steps of an epoch: `stepsPerEpoch`, or fewer in the last epoch without data. */
  stepsOf(epoch: number): number {
    const { rows, stepsPerEpoch, settings } = this;
    return rows ? stepsPerEpoch : Math.min(stepsPerEpoch, settings.steps - (epoch - 1) * stepsPerEpoch);
  }

  /** Returns the loss of a step, and leaves its gradient in the flat buffer of the weights. */
  lossAndGradient({ batch, rows, randomSource }: Step): Promise<LossValues> {
    return batch
      ? this.stepLoss.evaluateBatch(batch, this.rows!.batches.meanWeight, randomSource)
      : this.stepLoss.evaluateDrawn(rows, randomSource);
  }

  /** The loss of the validation rows after `epochs` epochs; undefined without validation rows. */
  async validationLoss(epochs: number): Promise<number | undefined> {
    return this.rows?.validation && this.evaluate(this.rows.validation, epochs);
  }

  /** The validation loss of a sample of training rows; undefined if it is the same as the training loss. */
  async trainingLoss(epochs: number): Promise<number | undefined> {
    return this.rows?.sample && this.evaluate(this.rows.sample, epochs);
  }

  /** Calls `Problem.explain` for the validation rows before the first step. */
  async explainStart({ explain }: Problem): Promise<void> {
    await explain?.(this.rows?.validation, { isBeforeFirstStep: true });
  }

  async release(): Promise<void> {
    await this.stepLoss.release();
    await this.evaluationLoss?.release();
  }

  /** The random numbers are the same in each evaluation, so that epochs are comparable. */
  private evaluate(rows: InMemoryDataset, epochs: number): Promise<number> {
    const random = new Random(this.settings.seed).split("evaluated").split(0);
    return this.evaluationLoss!.mean(rows, { random, step: epochs * this.stepsPerEpoch });
  }

  private randomSource(epoch: number, step: number): RandomSource {
    const { seed } = this.settings;
    return {
      step: (epoch - 1) * this.stepsPerEpoch + step,
      // The generator is created only if the loss reads it, because this takes 2% of a short step.
      get random() {
        return new Random(seed).split("drawn").split(epoch).split(step);
      },
    };
  }
}

const stepsPerEpochOf = (rows: PreparedRows | undefined, batchSize: number): number =>
  rows ? Math.ceil(rows.batches.rows / batchSize) : STEPS_PER_EPOCH_WITHOUT_DATA;

function preparedRows(
  { training, validation }: TrainingRows,
  { prepare = (rows) => rows, validationLoss }: Problem,
  { batchSize, seed, communicator }: { batchSize: number; seed: number; communicator: Communicator },
): PreparedRows {
  const batches = training.batches({ batchSize, seed, prepare });
  const isShared = communicator.size > 1 && !(training instanceof InMemoryDataset);
  return {
    widths: training,
    batches: isShared ? sharedBatches(batches, training, batchSize, communicator) : batches,
    validation: validation && prepare(validation),
    sample: validation && validationLoss && prepare(evaluatedRows(training.sample, seed)),
  };
}

/** At most `MAX_EVALUATED_TRAINING_ROWS` random rows, in their order, without rows of weight 0, which do not count in a mean. */
function evaluatedRows(rows: InMemoryDataset, seed: number): InMemoryDataset {
  const weighted = range(rows.rows).filter((row) => rows.weights[row]! > 0);
  const order = new Random(seed).split("evaluated rows").permutation(weighted.length);
  const chosen = order.slice(0, MAX_EVALUATED_TRAINING_ROWS).sort();
  return rows.select(chosen.map((i) => weighted[i]!));
}
