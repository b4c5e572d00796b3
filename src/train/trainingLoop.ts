import type { Batch, Batches, Dataset, InMemoryDataset } from "../dataset/index.ts";
import { PushforwardError } from "../errors.ts";
import type { Draws } from "../graph/drawn.ts";
import { Random } from "../random/index.ts";
import type { EngineOptions } from "../runtime/engineOptions.ts";
import { BatchLoss, type Loss, type LossValues } from "./batchLoss.ts";
import type { CheckpointState } from "./checkpoint.ts";
import { EarlyStopping } from "./earlyStopping.ts";
import { EpochTotals } from "./epochTotals.ts";
import { Optimizer } from "./optimizer.ts";
import type { LossEpoch, LossProgress, TrainingSettings } from "./options.ts";
import { trainingLengths } from "./options.ts";
import { sharesOf } from "./sharedLoss.ts";
import { MAX_RECOVERIES, StepSize } from "./stepSize.ts";
import type { Weights } from "./weights.ts";

/** Why a training ended: all epochs are done, the validation loss falls no more, the time is up, or a signal came. */
export type Stopped = "epochs" | "patience" | "time" | "signal";

/** The rows of a training. */
export interface TrainingRows {
  readonly training: Dataset;
  /** None where nothing decides when to end. */
  readonly validation: InMemoryDataset | undefined;
}

/** Where a loss that is not finite comes from. */
export interface Explanation {
  readonly where: string;
  readonly mend?: string;
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

/** What a training needs from outside. */
export interface LoopOptions extends EngineOptions {
  onEpoch?(epoch: LossEpoch): void;
  onProgress?(progress: LossProgress): void;
  onRecovery?(message: string): void;
  /** Called after each whole epoch. */
  onState?(): Promise<void>;
  readonly signal?: AbortSignal | undefined;
  /** On the clock of `performance.now()`. */
  readonly deadline: number;
}

/** Steps of an epoch where there are no data. */
const STEPS_WITHOUT_DATA = 100;
/** Training rows whose validation loss is reported where training minimizes another loss. */
const MAX_TRAINING_ROWS_EVALUATED = 1000;
/** If the first epochs end this much above the loss at the start, the steps were too large: they begin again, smaller. */
const MAX_INCREASE_AT_START = 1;

interface Step {
  /** The rows of the step; undefined without data. */
  readonly batch: Batch | undefined;
  readonly rows: number;
}

/** The rows of a training as its steps and its evaluations take them. */
interface PreparedRows {
  readonly widths: { readonly features: number; readonly contextFeatures: number };
  readonly batches: Batches;
  readonly validation: InMemoryDataset | undefined;
  /** Training rows that are evaluated after each epoch, where the loss of its steps does not tell the validation loss. */
  readonly sample: InMemoryDataset | undefined;
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

interface LoopParts {
  readonly rows: PreparedRows | undefined;
  readonly losses: Losses;
  readonly batchSize: number;
}

/** The loss of steps, and that of validation rows. */
interface Losses {
  readonly gradient: BatchLoss;
  readonly evaluated: BatchLoss | undefined;
}

async function compileLosses(
  { loss, validationLoss = loss, perRow }: Problem,
  weights: Weights,
  rows: PreparedRows | undefined,
  batchSize: number,
  { providers, threads }: EngineOptions,
): Promise<Losses> {
  const engine = { ...(providers && { providers }), ...(threads !== undefined && { threads }) };
  const common = { widths: rows?.widths, perRow };
  const parts = weights.flat.parts.length;
  const ofSteps = { ...common, rows: batchSize, threads: parts, withGradient: true };
  const gradient = await BatchLoss.of(loss, weights, ofSteps, engine);
  if (!rows?.validation) return { gradient, evaluated: undefined };
  const ofRows = {
    ...common,
    rows: rows.validation.rows,
    threads: sharesOf(batchSize, engine),
    withGradient: false,
  };
  return { gradient, evaluated: await BatchLoss.of(validationLoss, weights, ofRows, engine) };
}

/**
 * Minimizes a loss by stochastic gradient steps in epochs. How large the steps are (`StepSize`), when to end
 * (`EarlyStopping`) and which weights there are (`Weights`) is decided elsewhere; this is the order of events.
 */
export class TrainingLoop {
  readonly epochs: LossEpoch[] = [];
  readonly stepSize: StepSize;
  readonly stopping: EarlyStopping;
  readonly optimizer: Optimizer;
  /** The weights of the best epoch so far. */
  best: ReturnType<Weights["result"]>;
  private readonly weights: Weights;
  private readonly problem: Problem;
  private readonly settings: TrainingSettings;
  private readonly options: LoopOptions;
  private readonly rows: PreparedRows | undefined;
  private readonly losses: Losses;
  private readonly batchSize: number;
  private readonly stepsPerEpoch: number;
  private readonly maxEpochs: number;
  private epoch = 0;

  private constructor(
    weights: Weights,
    problem: Problem,
    settings: TrainingSettings,
    options: LoopOptions,
    { rows, losses, batchSize }: LoopParts,
  ) {
    this.weights = weights;
    this.problem = problem;
    this.settings = settings;
    this.options = options;
    this.rows = rows;
    this.losses = losses;
    this.batchSize = batchSize;
    this.stepsPerEpoch = rows ? Math.ceil(rows.batches.rows / batchSize) : STEPS_WITHOUT_DATA;
    const lengths = trainingLengths(settings, this.stepsPerEpoch);
    this.maxEpochs = rows ? lengths.epochs : Math.ceil(settings.steps / STEPS_WITHOUT_DATA);
    const totalSteps = rows ? this.maxEpochs * this.stepsPerEpoch : settings.steps;
    this.stepSize = new StepSize(settings.schedule, totalSteps);
    this.stopping = new EarlyStopping(lengths);
    this.optimizer = new Optimizer(settings.optimizer, weights.flat);
    this.best = weights.result();
  }

  static async of(
    weights: Weights,
    data: TrainingRows | undefined,
    problem: Problem,
    settings: TrainingSettings,
    options: LoopOptions,
  ): Promise<TrainingLoop> {
    const batchSize = Math.min(settings.batchSize, data?.training.rows ?? settings.batchSize);
    const rows = data && preparedRows(data, problem, batchSize, settings.seed);
    const losses = await compileLosses(problem, weights, rows, batchSize, options);
    return new TrainingLoop(weights, problem, settings, options, { rows, losses, batchSize });
  }

  /** Goes on after the epochs of a checkpoint, whose weights are set already. */
  resume(epochs: readonly LossEpoch[], state: CheckpointState, best: TrainingLoop["best"]): void {
    this.epochs.push(...epochs);
    this.epoch = state.epoch;
    Object.assign(this.stepSize.state, state.stepSize);
    Object.assign(this.stopping.state, state.stopping);
    this.optimizer.steps = state.steps;
    this.best = best;
  }

  /** What a checkpoint needs to know to go on, beside the weights. */
  state(): CheckpointState {
    const { epoch, stepSize, stopping, optimizer } = this;
    return { epoch, stepSize: stepSize.state, stopping: stopping.state, steps: optimizer.steps };
  }

  /** Trains to the end, and leaves the model with the best weights. */
  async run(): Promise<Stopped> {
    const { stopping } = this;
    const validation = this.rows?.validation;
    if (validation && this.epoch === 0) await this.evaluateStart(validation);
    let stopped: Stopped | undefined;
    while (this.epoch < this.maxEpochs && !stopped) {
      stopped = validation && stopping.ended(this.epoch) ? "patience" : await this.runEpoch();
    }
    this.weights.assign(validation ? this.best : this.weights.result());
    return stopped ?? "epochs";
  }

  async release(): Promise<void> {
    await this.losses.gradient.release();
    await this.losses.evaluated?.release();
  }

  private async evaluateStart(validation: InMemoryDataset): Promise<void> {
    const loss = await this.evaluate(validation);
    if (!Number.isFinite(loss)) await this.problem.explain?.(validation, { starting: true });
    if (!Number.isNaN(loss)) this.stopping.state.best = loss;
  }

  /** The validation loss of rows, with the same draws each time, so that epochs can be compared. */
  private evaluate(rows: InMemoryDataset): Promise<number> {
    const random = new Random(this.settings.seed).split("evaluated");
    return this.losses.evaluated!.mean(rows, { random, step: this.epoch * this.stepsPerEpoch });
  }

  /** One epoch. Gives a reason if training must end inside it. */
  private async runEpoch(): Promise<Stopped | undefined> {
    const { weights, options, optimizer, stepSize, stepsPerEpoch } = this;
    const { clipNorm, averageDecay, optimizer: optimizerOptions } = this.settings;
    const validated = this.rows?.validation !== undefined;
    const epoch = this.epoch + 1;
    const before = weights.snapshot();
    const totals = new EpochTotals();
    let stopped: Stopped | undefined;
    let explosions = 0;
    for await (const step of this.steps(epoch)) {
      if (options.signal?.aborted) stopped = "signal";
      else if (performance.now() > options.deadline) stopped = "time";
      if (stopped && (totals.steps === 0 || (stopped === "signal" && validated))) return stopped;
      // What was learned in a part of an epoch counts as well.
      if (stopped) break;
      const draws = this.draws(epoch, totals.steps);
      const values = await this.stepLoss(step, draws);
      const norm = weights.flat.gradientNorm;
      explosions = this.exploded(values.loss) ? explosions + 1 : 0;
      // A single far row can make one batch enormous: a clipped step over it does no harm.
      const diverged = explosions >= Math.min(2, stepsPerEpoch);
      if (!Number.isFinite(values.loss) || !Number.isFinite(norm) || diverged) {
        await this.recover(step, draws, { loss: values.loss, norm });
        this.restart(before);
        return undefined;
      }
      totals.add(values, step.rows);
      const { loss, ...metrics } = values;
      const factor = stepSize.factor(draws.step);
      // A young average forgets its start faster, so it never lags behind by more than it has seen.
      const decay = Math.min(averageDecay, (2 + optimizer.steps) / (11 + optimizer.steps));
      const clipped = norm > clipNorm ? clipNorm / norm : 1;
      await optimizer.step(factor, clipped, averageDecay === 0 ? 0 : 1 - decay);
      totals.stepSize = factor * optimizerOptions.learningRate;
      options.onProgress?.({
        epoch,
        fraction: totals.steps / stepsPerEpoch,
        step: draws.step + 1,
        best: this.stopping.state.best,
        loss,
        metrics,
      });
    }
    const record = await this.record(epoch, totals);
    if (!stopped && this.leadsAway(record) && stepSize.restart()) {
      this.restart(before);
      return undefined;
    }
    this.epoch = epoch;
    this.epochs.push(record);
    if (record.validationLoss !== undefined) this.follow(epoch, record.validationLoss);
    options.onEpoch?.(record);
    // A checkpoint has whole epochs, so that going on from it ends where an uninterrupted training does.
    if (!stopped) await options.onState?.();
    return stopped;
  }

  private async *steps(epoch: number): AsyncGenerator<Step> {
    if (this.rows) {
      for await (const batch of this.rows.batches.epoch(epoch)) yield { batch, rows: batch.indices.length };
      return;
    }
    const left = this.settings.steps - (epoch - 1) * STEPS_WITHOUT_DATA;
    for (let i = 0; i < Math.min(left, STEPS_WITHOUT_DATA); i++)
      yield { batch: undefined, rows: this.batchSize };
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

  private stepLoss({ batch, rows }: Step, draws: Draws): Promise<LossValues> {
    const { gradient } = this.losses;
    return batch
      ? gradient.ofBatch(batch, this.rows!.batches.meanWeight, draws)
      : gradient.ofDraws(rows, draws);
  }

  /** Whether a loss is so far above those before it that steps along its gradient only do harm. */
  private exploded(loss: number): boolean {
    // Of another loss the best validation loss says nothing.
    const best = this.problem.validationLoss ? Number.POSITIVE_INFINITY : this.stopping.state.best;
    const reference = Math.min(this.epochs.at(-1)?.trainLoss ?? best, best);
    const limit = reference + 1e3 * (1 + Math.abs(reference));
    return this.epoch > 0 && !this.problem.validationLoss && loss > limit;
  }

  private async record(epoch: number, totals: EpochTotals): Promise<LossEpoch> {
    const { weights } = this;
    const { sample, validation } = this.rows ?? {};
    const trainLoss = sample ? await weights.withResult(() => this.evaluate(sample)) : totals.mean("loss");
    const metrics = totals.metrics();
    return {
      epoch,
      step: (epoch - 1) * this.stepsPerEpoch + totals.steps,
      trainLoss,
      ...(validation && { validationLoss: await weights.withResult(() => this.evaluate(validation)) }),
      stepSize: totals.stepSize,
      ...(Object.keys(metrics).length > 0 && { metrics }),
    };
  }

  /**
   * Whether the steps are so large that they only lead away from a good start, such as that of a mixture of narrow components.
   * Not where training minimizes another loss than the validation loss, which it need not follow.
   */
  private leadsAway({ validationLoss }: LossEpoch): boolean {
    const { best, bestEpoch } = this.stopping.state;
    const comparable = validationLoss !== undefined && !this.problem.validationLoss;
    return comparable && bestEpoch === 0 && validationLoss > best + MAX_INCREASE_AT_START;
  }

  /** Keeps the best weights, and makes steps smaller where the loss stands still. */
  private follow(epoch: number, validationLoss: number): void {
    const change = this.stopping.update(epoch, validationLoss);
    if (change === "best") this.best = this.weights.result();
    if (change === "plateau") this.stepSize.state.plateaus++;
  }

  private restart(before: ReturnType<Weights["snapshot"]>): void {
    this.weights.restore(before);
    this.optimizer.reset();
  }

  /** Halves the steps after a failure, and tells where it was; throws after the last try. */
  private async recover(
    { batch }: Step,
    draws: Draws,
    { loss, norm }: { loss: number; norm: number },
  ): Promise<void> {
    const rows = batch?.rows.select(batch.indices);
    const { where = "the gradient", mend } =
      (await this.problem.explain?.(rows, { starting: false, draws })) ?? {};
    const first = this.epoch * this.stepsPerEpoch;
    const [place, before] = batch
      ? [`epoch ${this.epoch + 1}, batch ${draws.step - first}`, "before that epoch"]
      : [`step ${draws.step + 1}`, `after step ${first}`];
    const ofGradient = Number.isFinite(loss) && !Number.isFinite(norm);
    const received = ofGradient ? `a gradient of norm ${norm}` : `a loss of ${loss}`;
    if (!this.stepSize.recover()) {
      throw new PushforwardError(
        "NUMERIC",
        `${this.problem.name} failed ${MAX_RECOVERIES + 1} times; last in ${place}, at ${where}`,
        {
          expected: "a finite loss and gradient",
          received,
          mend:
            mend ??
            "Lower the learning rate, or look at these rows: a value far from all others, or a column of few distinct values.",
        },
      );
    }
    this.options.onRecovery?.(
      `There was ${received} in ${place} (${where}): back to the weights ${before}, with half the step size.`,
    );
  }
}
