import type { Batch, Batches, Dataset, InMemoryDataset } from "../dataset/index.ts";
import type { Draws } from "../graph/tracing/drawn.ts";
import { Random } from "../random/index.ts";
import type { EngineOptions } from "../runtime/engineOptions.ts";
import { BatchLoss, type Loss, type LossValues } from "./batchLoss.ts";
import type { TrainingSettings } from "./options.ts";
import { sharesOf } from "./sharedLoss.ts";
import type { Weights } from "./weights.ts";

/** The rows of a training. */
export interface TrainingRows {
  readonly training: Dataset;
  /** None where nothing decides when to end. */
  readonly validation: InMemoryDataset | undefined;
}

/** Where a loss that is not finite comes from. */
export interface Explanation {
  readonly where: string;
  readonly hint?: string;
}

/** What is minimized. */
export interface Problem {
  /** What messages call it. */
  readonly name: string;
  readonly loss: Loss;
  /** Of the validation rows, where it differs from `loss`. */
  readonly validationLoss?: Loss | undefined;
  /** Whether the losses are known to give a number for each row. */
  readonly perRow?: boolean;
  /** Applied to all rows before they are used. */
  readonly prepare?: (rows: InMemoryDataset) => InMemoryDataset;
  /**
   * Finds out why the loss of these rows is not finite; `starting` before the first step. Throws where no training can help.
   * Without data there are no rows, and `draws` is where the loss drew from.
   */
  readonly explain?: (
    rows: InMemoryDataset | undefined,
    at: { readonly starting: boolean; readonly draws?: Draws },
  ) => Promise<Explanation | undefined>;
}

/** Steps of an epoch where there are no data. */
const STEPS_WITHOUT_DATA = 100;
/** Training rows whose validation loss is reported where training minimizes another loss. */
const MAX_TRAINING_ROWS_EVALUATED = 1000;

/** A step of a training. */
export interface Step {
  /** Its rows; undefined without data. */
  readonly batch: Batch | undefined;
  /** How many rows it has. */
  readonly rows: number;
  /** Where its loss draws from. */
  readonly draws: Draws;
}

/** The rows of a training as its steps and its evaluations take them. */
interface PreparedRows {
  readonly widths: Pick<Dataset, "features" | "contextFeatures">;
  readonly batches: Batches;
  readonly validation: InMemoryDataset | undefined;
  /** Training rows that are evaluated after each epoch, where the loss of its steps does not tell the validation loss. */
  readonly sample: InMemoryDataset | undefined;
}

/** A problem with its rows and compiled losses: what the steps of an epoch are, and the loss of each and of rows. */
export class Objective {
  /** How many steps an epoch has. */
  readonly stepsPerEpoch: number;
  /** How many epochs there are without data; undefined with data, where the settings say it. */
  readonly epochs: number | undefined;
  private readonly rows: PreparedRows | undefined;
  private readonly gradient: BatchLoss;
  private readonly evaluated: BatchLoss | undefined;
  private readonly batchSize: number;
  private readonly settings: TrainingSettings;

  private constructor(
    rows: PreparedRows | undefined,
    gradient: BatchLoss,
    evaluated: BatchLoss | undefined,
    batchSize: number,
    settings: TrainingSettings,
  ) {
    this.rows = rows;
    this.gradient = gradient;
    this.evaluated = evaluated;
    this.batchSize = batchSize;
    this.settings = settings;
    this.stepsPerEpoch = rows ? Math.ceil(rows.batches.rows / batchSize) : STEPS_WITHOUT_DATA;
    this.epochs = rows ? undefined : Math.ceil(settings.steps / STEPS_WITHOUT_DATA);
  }

  static async of(
    problem: Problem,
    weights: Weights,
    data: TrainingRows | undefined,
    settings: TrainingSettings,
    { providers, threads }: EngineOptions,
  ): Promise<Objective> {
    const { loss, validationLoss = loss, perRow } = problem;
    const batchSize = Math.min(settings.batchSize, data?.training.rows ?? settings.batchSize);
    const rows = data && preparedRows(data, problem, batchSize, settings.seed);
    const engine = { ...(providers && { providers }), ...(threads !== undefined && { threads }) };
    const common = { widths: rows?.widths, perRow };
    const parts = weights.flat.parts.length;
    const ofSteps = { ...common, rows: batchSize, threads: parts, withGradient: true };
    const gradient = await BatchLoss.of(loss, weights, ofSteps, engine);
    const count = rows?.validation?.rows;
    const shares = sharesOf(batchSize, engine);
    const evaluated =
      count === undefined
        ? undefined
        : await BatchLoss.of(
            validationLoss,
            weights,
            { ...common, rows: count, threads: shares, withGradient: false },
            engine,
          );
    return new Objective(rows, gradient, evaluated, batchSize, settings);
  }

  /** Whether there are validation rows. */
  get validated(): boolean {
    return this.rows?.validation !== undefined;
  }

  /** The steps of an epoch, in an order that depends only on the seed and the epoch. */
  async *steps(epoch: number): AsyncGenerator<Step> {
    let step = 0;
    if (this.rows) {
      for await (const batch of this.rows.batches.epoch(epoch))
        yield { batch, rows: batch.indices.length, draws: this.draws(epoch, step++) };
      return;
    }
    const left = this.settings.steps - (epoch - 1) * STEPS_WITHOUT_DATA;
    while (step < Math.min(left, STEPS_WITHOUT_DATA))
      yield { batch: undefined, rows: this.batchSize, draws: this.draws(epoch, step++) };
  }

  /** The loss of a step, with its gradient in the flat buffer of the weights. */
  lossAndGradient({ batch, rows, draws }: Step): Promise<LossValues> {
    return batch
      ? this.gradient.ofBatch(batch, this.rows!.batches.meanWeight, draws)
      : this.gradient.ofDraws(rows, draws);
  }

  /** The validation loss of the validation rows, after `epochs` epochs; undefined without such rows. */
  async validationLoss(epochs: number): Promise<number | undefined> {
    return this.rows?.validation && this.evaluate(this.rows.validation, epochs);
  }

  /** The validation loss of some training rows, where the losses of the steps do not tell it. */
  async trainingLoss(epochs: number): Promise<number | undefined> {
    return this.rows?.sample && this.evaluate(this.rows.sample, epochs);
  }

  /** Why the loss of the validation rows is not finite before the first step; see `Problem.explain`. */
  async explainStart({ explain }: Problem): Promise<void> {
    await explain?.(this.rows?.validation, { starting: true });
  }

  async release(): Promise<void> {
    await this.gradient.release();
    await this.evaluated?.release();
  }

  /** Draws are the same each time, so that epochs can be compared. */
  private evaluate(rows: InMemoryDataset, epochs: number): Promise<number> {
    const random = new Random(this.settings.seed).split("evaluated");
    return this.evaluated!.mean(rows, { random, step: epochs * this.stepsPerEpoch });
  }

  private draws(epoch: number, step: number): Draws {
    const { seed } = this.settings;
    return {
      step: (epoch - 1) * this.stepsPerEpoch + step,
      // Made only where a loss draws: a short step takes 2% longer with it.
      get random() {
        return new Random(seed).split("drawn").split(epoch).split(step);
      },
    };
  }
}

function preparedRows(
  { training, validation }: TrainingRows,
  { prepare = (rows) => rows, validationLoss }: Problem,
  batchSize: number,
  seed: number,
): PreparedRows {
  return {
    widths: training,
    batches: training.batches({ batchSize, seed, prepare }),
    validation: validation && prepare(validation),
    sample: validationLoss && prepare(training.sample.spaced(MAX_TRAINING_ROWS_EVALUATED)),
  };
}
