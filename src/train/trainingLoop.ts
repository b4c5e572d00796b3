import { PushforwardError } from "../check/index.ts";
import { broadcastNumber, type Communicator } from "../communicator/index.ts";
import type { EngineOptions } from "../runtime/index.ts";
import type { CheckpointState } from "./checkpoint.ts";
import { EarlyStopping } from "./earlyStopping.ts";
import { EpochTotals } from "./epochTotals.ts";
import { LearningRateFactor, MAX_RECOVERIES } from "./learningRateFactor.ts";
import { Optimizer } from "./optimizer.ts";
import {
  type MinimizeEpoch,
  type MinimizeProgress,
  type TrainingSettings,
  trainingLengths,
} from "./options.ts";
import type { CompiledProblem, Problem, Step } from "./problem.ts";
import type { Weights } from "./weights.ts";

/** Why training ended: all epochs were done, the patience or the time was used up, or the abort signal was received. */
export type StopReason = "epochs" | "patience" | "time" | "signal";

/** Callbacks and limits of a training run. */
export interface LoopOptions extends EngineOptions {
  onEpoch?: ((epoch: MinimizeEpoch) => unknown) | undefined;
  onProgress?: ((progress: MinimizeProgress) => void) | undefined;
  onRecovery?: ((message: string) => void) | undefined;
  /** Called after each complete epoch, to save a checkpoint. */
  onState?: (() => Promise<void>) | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly communicator: Communicator;
  /** The time at which training ends, on the clock of `performance.now()`. */
  readonly deadline: number;
}

/**
 * If an epoch ends with a validation loss more than this many nats above that of the initial model, and no epoch was better than the initial
 * model so far, the learning rate was too large, and the epoch is repeated with a smaller one.
 */
const MAX_INITIAL_LOSS_INCREASE_NATS = 1;

/**
 * The training loop: stochastic gradient descent in epochs, with validation, recovery and callbacks. It delegates the learning rate
 * to `LearningRateFactor`, the decision to end to `EarlyStopping`, and saving and restoring of weights to `Weights`.
 */
export class TrainingLoop {
  readonly epochs: MinimizeEpoch[] = [];
  readonly rateFactor: LearningRateFactor;
  readonly stopping: EarlyStopping;
  readonly optimizer: Optimizer;
  /** The weights of the best epoch so far. */
  best: ReturnType<Weights["result"]>;
  private readonly weights: Weights;
  private readonly problem: Problem;
  private readonly compiledProblem: CompiledProblem;
  private readonly settings: TrainingSettings;
  private readonly options: LoopOptions;
  private readonly maxEpochs: number;
  private epoch = 0;

  constructor(
    weights: Weights,
    problem: Problem,
    compiledProblem: CompiledProblem,
    settings: TrainingSettings,
    options: LoopOptions,
  ) {
    this.weights = weights;
    this.problem = problem;
    this.compiledProblem = compiledProblem;
    this.settings = settings;
    this.options = options;
    const { stepsPerEpoch, epochs } = compiledProblem;
    const lengths = trainingLengths(settings, stepsPerEpoch);
    this.maxEpochs = epochs ?? lengths.epochs;
    const totalSteps = epochs === undefined ? this.maxEpochs * stepsPerEpoch : settings.steps;
    this.rateFactor = new LearningRateFactor(settings.schedule, totalSteps);
    this.stopping = new EarlyStopping({ ...lengths, warmUpEpochs: problem.warmUpEpochs ?? 0 });
    this.optimizer = new Optimizer(settings.optimizer, weights.flat);
    this.best = weights.result();
  }

  /** Continues after the epochs of a checkpoint, whose weights the caller has already set. */
  resume(epochs: readonly MinimizeEpoch[], state: CheckpointState, best: TrainingLoop["best"]): void {
    this.epochs.push(...epochs);
    this.epoch = state.epoch;
    Object.assign(this.rateFactor.state, state.learningRate);
    Object.assign(this.stopping.state, state.stopping);
    this.optimizer.steps = state.steps;
    this.best = best;
  }

  /** The state for a checkpoint, without the weights. */
  state(): CheckpointState {
    const { epoch, rateFactor, stopping, optimizer } = this;
    return { epoch, learningRate: rateFactor.state, stopping: stopping.state, steps: optimizer.steps };
  }

  /** Trains until the end, and sets the model to the best weights. */
  async run(): Promise<StopReason> {
    const { stopping, compiledProblem, weights } = this;
    if (compiledProblem.hasValidation && this.epoch === 0) await this.evaluateStart();
    let stopped: StopReason | undefined;
    while (this.epoch < this.maxEpochs && !stopped) {
      const isOver = compiledProblem.hasValidation && this.epoch >= stopping.lastEpoch;
      stopped = isOver ? "patience" : await this.runEpoch();
    }
    weights.assign(compiledProblem.hasValidation ? this.best : weights.result());
    return stopped ?? "epochs";
  }

  /** Why training ends before the next step. Rank 0 decides, so that all processes take the same steps. */
  private async stopReason(): Promise<StopReason | undefined> {
    const { signal, deadline, communicator } = this.options;
    const isLate = performance.now() > deadline;
    const reasons = [undefined, "signal", "time"] as const;
    return reasons[await broadcastNumber(communicator, signal?.aborted ? 1 : isLate ? 2 : 0)];
  }

  private async evaluateStart(): Promise<void> {
    const loss = (await this.compiledProblem.validationLoss(0))!;
    if (!Number.isFinite(loss)) await this.compiledProblem.explainStart(this.problem);
    if (!Number.isNaN(loss)) this.stopping.state.best = loss;
  }

  /** Runs one epoch. Returns a reason if training must end within it. */
  private async runEpoch(): Promise<StopReason | undefined> {
    const { weights, compiledProblem, options, optimizer, rateFactor } = this;
    const { stepsPerEpoch, hasValidation } = compiledProblem;
    const { clipNorm, averageDecay, optimizer: optimizerOptions } = this.settings;
    const epoch = this.epoch + 1;
    const before = weights.snapshot();
    const totals = new EpochTotals();
    let stopped: StopReason | undefined;
    let explosions = 0;
    for await (const step of compiledProblem.steps(epoch)) {
      stopped = await this.stopReason();
      if (stopped && (totals.steps === 0 || (stopped === "signal" && hasValidation))) return stopped;
      // A partial epoch is evaluated and recorded like a complete one.
      if (stopped) break;
      const values = await compiledProblem.lossAndGradient(step);
      const norm = weights.flat.gradientNorm;
      explosions = this.lossExploded(values.loss) ? explosions + 1 : 0;
      // One outlier can make the loss of a single batch very large, and a clipped step does no harm, so two in a row are required.
      const diverged = explosions >= Math.min(2, stepsPerEpoch);
      if (!Number.isFinite(values.loss) || !Number.isFinite(norm) || diverged) {
        await this.recover(step, { loss: values.loss, norm });
        this.restoreEpochStart(before);
        return undefined;
      }
      totals.add(values, step.rows);
      const { loss, ...metrics } = values;
      const factor = rateFactor.factor(step.randomSource.step);
      // In step t the decay is (1 + t) / (10 + t) at most, as in TensorFlow, so that the initial weights do not dominate the average.
      const decay = Math.min(averageDecay, (2 + optimizer.steps) / (11 + optimizer.steps));
      const clipped = norm > clipNorm ? clipNorm / norm : 1;
      await optimizer.step(factor, clipped, averageDecay === 0 ? 0 : 1 - decay);
      totals.learningRate = factor * optimizerOptions.learningRate;
      options.onProgress?.({
        epoch,
        // The number of steps is an estimate for a stream of rows with weights.
        fraction: Math.min(1, totals.steps / compiledProblem.stepsOf(epoch)),
        step: step.randomSource.step + 1,
        best: this.stopping.state.best,
        bestEpoch: this.stopping.state.bestEpoch,
        lastEpoch: hasValidation ? Math.min(this.stopping.lastEpoch, this.maxEpochs) : this.maxEpochs,
        maxEpochs: this.maxEpochs,
        loss,
        metrics,
      });
    }
    const record = await this.record(epoch, totals);
    if (!stopped && this.divergedAtStart(record) && rateFactor.restart()) {
      this.restoreEpochStart(before);
      return undefined;
    }
    this.epoch = epoch;
    this.epochs.push(record);
    if (record.validationLoss !== undefined) this.updateBest(epoch, record.validationLoss);
    const { onEpoch } = options;
    if (onEpoch) await weights.withResult(async () => onEpoch(record));
    // Only complete epochs are saved, so that a resumed training has the same result as an uninterrupted one.
    if (!stopped) await options.onState?.();
    return stopped;
  }

  /** Whether a loss is above r + 1000 (1 + |r|), where r is the training loss of the last epoch or the best loss, if that is smaller. */
  private lossExploded(loss: number): boolean {
    // A separate validation loss, and so the best one, is not comparable with the training loss.
    if (this.epoch === 0 || this.problem.validationLoss) return false;
    const { best } = this.stopping.state;
    const reference = Math.min(this.epochs.at(-1)?.trainLoss ?? best, best);
    return loss > reference + 1e3 * (1 + Math.abs(reference));
  }

  private async record(epoch: number, totals: EpochTotals): Promise<MinimizeEpoch> {
    const { weights, compiledProblem } = this;
    const losses = await weights.withResult(async () => ({
      training: await compiledProblem.trainingLoss(epoch),
      validation: await compiledProblem.validationLoss(epoch),
    }));
    const metrics = totals.metrics();
    return {
      epoch,
      step: (epoch - 1) * compiledProblem.stepsPerEpoch + totals.steps,
      trainLoss: losses.training ?? totals.mean("loss"),
      ...(losses.validation !== undefined && { validationLoss: losses.validation }),
      learningRate: totals.learningRate,
      ...(Object.keys(metrics).length > 0 && { metrics }),
    };
  }

  /**
   * Whether an epoch, before any improved on the initial model, made it much worse because the learning rate is too large. It may be a
   * mixture of narrow components, for example. A separate validation loss does not count, since it need not decrease.
   */
  private divergedAtStart({ validationLoss }: MinimizeEpoch): boolean {
    const { best, bestEpoch } = this.stopping.state;
    const comparable = validationLoss !== undefined && !this.problem.validationLoss;
    return comparable && bestEpoch === 0 && validationLoss > best + MAX_INITIAL_LOSS_INCREASE_NATS;
  }

  /** Saves the weights if they are the best so far, and reduces the learning rate at a plateau. */
  private updateBest(epoch: number, validationLoss: number): void {
    const change = this.stopping.update(epoch, validationLoss);
    if (change === "best") this.best = this.weights.result();
    if (change === "plateau") this.rateFactor.state.plateaus++;
  }

  private restoreEpochStart(before: ReturnType<Weights["snapshot"]>): void {
    this.weights.restore(before);
    this.optimizer.reset();
  }

  /** Halves the learning rate after a failure, and reports its location. Throws after too many failures. */
  private async recover(
    { batch, randomSource }: Step,
    { loss, norm }: { loss: number; norm: number },
  ): Promise<void> {
    const rows = batch?.rows.select(batch.indices);
    const { where, hint } =
      (await this.problem.explain?.(rows, { isBeforeFirstStep: false, randomSource })) ?? {};
    const first = this.epoch * this.compiledProblem.stepsPerEpoch;
    const [location, before, earlier, advice] = batch
      ? [
          `epoch ${this.epoch + 1}, batch ${randomSource.step - first + 1}`,
          "before that epoch",
          "the epoch before",
          "Lower the learning rate, or look for outliers and for columns of few distinct values in these rows.",
        ]
      : [
          `step ${randomSource.step + 1}`,
          `after step ${first}`,
          "the steps before",
          "Lower the learning rate.",
        ];
    const ofGradient = Number.isFinite(loss) && !Number.isFinite(norm);
    const exploded = Number.isFinite(loss) && Number.isFinite(norm);
    const received = ofGradient ? `a gradient of norm ${norm}` : `a loss of ${loss}`;
    if (!this.rateFactor.recover()) {
      throw new PushforwardError(
        "NUMERIC",
        `${this.problem.name} failed ${MAX_RECOVERIES + 1} times; last in ${location}${where ? `, at ${where}` : ""}`,
        {
          expected: exploded ? `a loss near that of ${earlier}` : "a finite loss and gradient",
          received,
          hint: hint ?? advice,
        },
      );
    }
    this.options.onRecovery?.(
      `There was ${received} in ${location}${where ? ` (${where})` : ""}. Training returns to the weights ${before} and halves the learning rate.`,
    );
  }
}
