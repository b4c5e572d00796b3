import { PushforwardError } from "../errors.ts";
import type { EngineOptions } from "../runtime/engineOptions.ts";
import type { CheckpointState } from "./checkpoint.ts";
import { EarlyStopping } from "./earlyStopping.ts";
import { EpochTotals } from "./epochTotals.ts";
import type { Objective, Problem, Step } from "./objective.ts";
import { Optimizer } from "./optimizer.ts";
import {
  type MinimizeEpoch,
  type MinimizeProgress,
  type TrainingSettings,
  trainingLengths,
} from "./options.ts";
import { MAX_RECOVERIES, StepSize } from "./stepSize.ts";
import type { Weights } from "./weights.ts";

/** Why a training ended: all epochs are done, the validation loss falls no more, the time is up, or a signal came. */
export type Stopped = "epochs" | "patience" | "time" | "signal";

/** What a training needs from outside. */
export interface LoopOptions extends EngineOptions {
  onEpoch?(epoch: MinimizeEpoch): void;
  onProgress?(progress: MinimizeProgress): void;
  onRecovery?(message: string): void;
  /** Called after each whole epoch. */
  onState?(): Promise<void>;
  readonly signal?: AbortSignal | undefined;
  /** On the clock of `performance.now()`. */
  readonly deadline: number;
}

/** If the first epochs end this much above the loss at the start, the steps were too large: they begin again, smaller. */
const MAX_INCREASE_AT_START = 1;

/**
 * Minimizes a loss by stochastic gradient steps in epochs. How large the steps are (`StepSize`), when to end
 * (`EarlyStopping`) and which weights there are (`Weights`) is decided elsewhere; this is the order of events.
 */
export class TrainingLoop {
  readonly epochs: MinimizeEpoch[] = [];
  readonly stepSize: StepSize;
  readonly stopping: EarlyStopping;
  readonly optimizer: Optimizer;
  /** The weights of the best epoch so far. */
  best: ReturnType<Weights["result"]>;
  private readonly weights: Weights;
  private readonly problem: Problem;
  private readonly objective: Objective;
  private readonly settings: TrainingSettings;
  private readonly options: LoopOptions;
  private readonly maxEpochs: number;
  private epoch = 0;

  constructor(
    weights: Weights,
    problem: Problem,
    objective: Objective,
    settings: TrainingSettings,
    options: LoopOptions,
  ) {
    this.weights = weights;
    this.problem = problem;
    this.objective = objective;
    this.settings = settings;
    this.options = options;
    const { stepsPerEpoch, epochs } = objective;
    const lengths = trainingLengths(settings, stepsPerEpoch);
    this.maxEpochs = epochs ?? lengths.epochs;
    const totalSteps = epochs === undefined ? this.maxEpochs * stepsPerEpoch : settings.steps;
    this.stepSize = new StepSize(settings.schedule, totalSteps);
    this.stopping = new EarlyStopping(lengths);
    this.optimizer = new Optimizer(settings.optimizer, weights.flat);
    this.best = weights.result();
  }

  /** Goes on after the epochs of a checkpoint, whose weights are set already. */
  resume(epochs: readonly MinimizeEpoch[], state: CheckpointState, best: TrainingLoop["best"]): void {
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
    const { stopping, objective, weights } = this;
    if (objective.validated && this.epoch === 0) await this.evaluateStart();
    let stopped: Stopped | undefined;
    while (this.epoch < this.maxEpochs && !stopped) {
      stopped = objective.validated && stopping.ended(this.epoch) ? "patience" : await this.runEpoch();
    }
    weights.assign(objective.validated ? this.best : weights.result());
    return stopped ?? "epochs";
  }

  private async evaluateStart(): Promise<void> {
    const loss = (await this.objective.validationLoss(0))!;
    if (!Number.isFinite(loss)) await this.objective.explainStart(this.problem);
    if (!Number.isNaN(loss)) this.stopping.state.best = loss;
  }

  /** One epoch. Gives a reason if training must end inside it. */
  private async runEpoch(): Promise<Stopped | undefined> {
    const { weights, objective, options, optimizer, stepSize } = this;
    const { stepsPerEpoch, validated } = objective;
    const { clipNorm, averageDecay, optimizer: optimizerOptions } = this.settings;
    const epoch = this.epoch + 1;
    const before = weights.snapshot();
    const totals = new EpochTotals();
    let stopped: Stopped | undefined;
    let explosions = 0;
    for await (const step of objective.steps(epoch)) {
      if (options.signal?.aborted) stopped = "signal";
      else if (performance.now() > options.deadline) stopped = "time";
      if (stopped && (totals.steps === 0 || (stopped === "signal" && validated))) return stopped;
      // What was learned in a part of an epoch counts as well.
      if (stopped) break;
      const values = await objective.lossAndGradient(step);
      const norm = weights.flat.gradientNorm;
      explosions = this.exploded(values.loss) ? explosions + 1 : 0;
      // A single far row can make one batch enormous: a clipped step over it does no harm.
      const diverged = explosions >= Math.min(2, stepsPerEpoch);
      if (!Number.isFinite(values.loss) || !Number.isFinite(norm) || diverged) {
        await this.recover(step, { loss: values.loss, norm });
        this.restart(before);
        return undefined;
      }
      totals.add(values, step.rows);
      const { loss, ...metrics } = values;
      const factor = stepSize.factor(step.draws.step);
      // A young average forgets its start faster, so it never lags behind by more than it has seen.
      const decay = Math.min(averageDecay, (2 + optimizer.steps) / (11 + optimizer.steps));
      const clipped = norm > clipNorm ? clipNorm / norm : 1;
      await optimizer.step(factor, clipped, averageDecay === 0 ? 0 : 1 - decay);
      totals.stepSize = factor * optimizerOptions.learningRate;
      options.onProgress?.({
        epoch,
        fraction: totals.steps / stepsPerEpoch,
        step: step.draws.step + 1,
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

  /** Whether a loss is so far above those before it that steps along its gradient only do harm. */
  private exploded(loss: number): boolean {
    // Of another loss the best validation loss says nothing.
    const best = this.problem.validationLoss ? Number.POSITIVE_INFINITY : this.stopping.state.best;
    const reference = Math.min(this.epochs.at(-1)?.trainLoss ?? best, best);
    const limit = reference + 1e3 * (1 + Math.abs(reference));
    return this.epoch > 0 && !this.problem.validationLoss && loss > limit;
  }

  private async record(epoch: number, totals: EpochTotals): Promise<MinimizeEpoch> {
    const { weights, objective } = this;
    const losses = await weights.withResult(async () => ({
      training: await objective.trainingLoss(this.epoch),
      validation: await objective.validationLoss(this.epoch),
    }));
    const metrics = totals.metrics();
    return {
      epoch,
      step: (epoch - 1) * objective.stepsPerEpoch + totals.steps,
      trainLoss: losses.training ?? totals.mean("loss"),
      ...(losses.validation !== undefined && { validationLoss: losses.validation }),
      stepSize: totals.stepSize,
      ...(Object.keys(metrics).length > 0 && { metrics }),
    };
  }

  /**
   * Whether the steps are so large that they only lead away from a good start, such as that of a mixture of narrow components.
   * Not where training minimizes another loss than the validation loss, which it need not follow.
   */
  private leadsAway({ validationLoss }: MinimizeEpoch): boolean {
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
    { batch, draws }: Step,
    { loss, norm }: { loss: number; norm: number },
  ): Promise<void> {
    const rows = batch?.rows.select(batch.indices);
    const { where = "the gradient", hint } =
      (await this.problem.explain?.(rows, { starting: false, draws })) ?? {};
    const first = this.epoch * this.objective.stepsPerEpoch;
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
          hint:
            hint ??
            "Lower the learning rate, or look at these rows: a value far from all others, or a column of few distinct values.",
        },
      );
    }
    this.options.onRecovery?.(
      `There was ${received} in ${place} (${where}): back to the weights ${before}, with half the step size.`,
    );
  }
}
