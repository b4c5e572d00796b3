import { z } from "zod";
import type { InMemoryDataset, RowsInput } from "../dataset/index.ts";
import type { EngineOptions } from "../runtime/engineOptions.ts";
import type { Loss } from "./batchLoss.ts";
import { type OptimizerOptions, optimizerSchema } from "./optimizer.ts";
import { type ScheduleOptions, scheduleSchema } from "./schedule.ts";

/** Settings of any training. */
const trainingSettings = {
  epochs: z.int().positive().optional(),
  batchSize: z.int().positive().default(256),
  optimizer: optimizerSchema.prefault({}),
  schedule: scheduleSchema.prefault({}),
  clipNorm: z.number().positive().default(5),
  validationFraction: z.number().gt(0).lt(1).default(0.1),
  patience: z.int().positive().optional(),
  averageDecay: z.number().min(0).lt(1).default(0.99),
  seed: z.int().nonnegative().default(0),
};

export const fitSettingsSchema = z.strictObject({
  objective: z.enum(["likelihood", "flowMatching"]).default("likelihood"),
  ...trainingSettings,
});

/** The plain settings that all trainings on rows have. */
export interface CommonSettings {
  /** Most epochs; early stopping usually ends sooner. Default 500, or as many as make 10,000 steps. */
  epochs?: number;
  /** Rows of a step. Default 256. */
  batchSize?: number;
  /** Default AdamW with a learning rate of 0.001. */
  optimizer?: OptimizerOptions;
  /** Default `plateau`. */
  schedule?: ScheduleOptions;
  /** Largest norm of a gradient; longer ones are scaled down to it. Default 5. */
  clipNorm?: number;
  /** Share of the rows held out for early stopping, in (0, 1), where no validation rows are given. Default 0.1. */
  validationFraction?: number;
  /** Epochs without a smaller validation loss after which training ends. Default 20, or as many as make 500 steps. */
  patience?: number;
  /** Decay of a moving average of the weights, by step; validation and the result use the average. 0 turns it off. Default 0.99. */
  averageDecay?: number;
  /** Seed of the shuffling, of the validation split and of what a loss draws. Default 0. */
  seed?: number;
}

/** The plain settings of `fit`. */
export interface FitSettings extends CommonSettings {
  /**
   * What is minimized: minus the log-density (`likelihood`), or for continuous flows the error of the velocity (`flowMatching`).
   * Default `likelihood`.
   */
  objective?: "likelihood" | "flowMatching";
}

export const minimizeSettingsSchema = z.strictObject({
  ...trainingSettings,
  validationFraction: z.number().min(0).lt(1).default(0.1),
  steps: z.int().positive().default(5000),
});

/** The plain settings of `minimize`. */
export interface MinimizeSettings extends CommonSettings {
  /**
   * Share of the rows held out for early stopping, in [0, 1), where no validation rows are given; 0 for no early stopping: all
   * epochs are done. Default 0.1.
   */
  validationFraction?: number;
  /** Steps to take, where there are no data. Default 5000. */
  steps?: number;
}

/** Settings with their defaults. */
export type TrainingSettings = z.output<typeof minimizeSettingsSchema>;

/**
 * How many epochs a training may last, and how many without a smaller validation loss end it or halve its step size.
 * The defaults are 500, 20 and 8 epochs, or more on few rows: as many as make 10,000, 500 and 200 steps. (Of 1,000 rows an
 * epoch is 4 steps, and training would end before it had begun.)
 */
export function trainingLengths(
  { epochs, patience, schedule }: Pick<TrainingSettings, "epochs" | "patience" | "schedule">,
  batches: number,
): { epochs: number; patience: number; plateau: number } {
  const atLeast = (count: number, steps: number) => Math.max(count, Math.ceil(steps / batches));
  return {
    epochs: epochs ?? atLeast(500, 10_000),
    patience: patience ?? atLeast(20, 500),
    plateau: schedule.patience ?? atLeast(8, 200),
  };
}

/** What an epoch of `minimize` has come to. */
export interface MinimizeEpoch {
  readonly epoch: number;
  /** Steps that were done in all by its end. */
  readonly step: number;
  /**
   * Mean loss of the epoch's batches, while its steps were taken; with another `validationLoss`, that loss of 1,000 training
   * rows after the epoch.
   */
  readonly trainLoss: number;
  /** Mean loss of the validation rows, if there are any. */
  readonly validationLoss?: number;
  /** Step size of the last step. */
  readonly stepSize: number;
  /** Means of the quantities that the loss reports beside itself, over the epoch's batches. */
  readonly metrics?: Readonly<Record<string, number>>;
}

/** How far a training is, after each step, with the loss of the step and what it reports beside it. */
export interface MinimizeProgress {
  readonly epoch: number;
  /** Share of the epoch's steps that are done. */
  readonly fraction: number;
  /** Steps that are done in all. */
  readonly step: number;
  /** The smallest validation loss so far. */
  readonly best: number;
  readonly loss: number;
  readonly metrics: Readonly<Record<string, number>>;
}

/** What all trainings take beside their settings. */
export interface TrainingControls extends EngineOptions {
  /** Told when a loss that failed sent training back to its last good weights. */
  onRecovery?(message: string): void;
  /** Ends training after the running batch; what was best so far is kept. */
  signal?: AbortSignal;
  /** Ends training when so many minutes have passed since the call, preparation included. */
  maxMinutes?: number;
}

/** What trainings on rows take. */
export interface RowOptions {
  /** [rows, C]: the context of each row. */
  context?: RowsInput;
  /** One non-negative weight a row. */
  weights?: ArrayLike<number>;
  /** Rows for early stopping, in place of a random share of the data; `dataset(...)` where they have a context or weights. */
  validation?: RowsInput | InMemoryDataset;
  checkpoint?: CheckpointStore;
}

export interface MinimizeOptions extends MinimizeSettings, TrainingControls, RowOptions {
  /** What is computed of the validation rows, where it differs from the loss. Without it, the loss. */
  validationLoss?: Loss;
  /** Objects whose parameters the loss reads, and that are not to be trained. */
  frozen?: object;
  onEpoch?(epoch: MinimizeEpoch): void;
  onProgress?(progress: MinimizeProgress): void;
}

/** What an epoch of `fit` has come to. */
export interface FitEpoch {
  readonly epoch: number;
  /** Mean log-density in nats, in data units. */
  readonly trainLogDensity: number;
  readonly validationLogDensity: number;
  /** Step size of the last step. */
  readonly stepSize: number;
}

/** How far `fit` is, for progress bars. */
export interface FitProgress {
  readonly epoch: number;
  /** Share of the epoch's batches that are done. */
  readonly fraction: number;
  /** The largest validation log-density so far. */
  readonly best: number;
}

export interface FitOptions extends FitSettings, TrainingControls, RowOptions {
  /** False if scales and other data-fitted parts are already set. Default true. */
  initialize?: boolean;
  onEpoch?(epoch: FitEpoch): void;
  onProgress?(progress: FitProgress): void;
}

/** Where checkpoints are kept: one at a time, of the end of an epoch. */
export interface CheckpointStore {
  /** The last checkpoint, if training is to go on from it. */
  load(): Promise<Uint8Array | undefined>;
  save(bytes: Uint8Array): Promise<void>;
  /** Asked after each epoch whether to save one now. By default each is saved; where epochs are short, that takes longer than they do. */
  due?(): boolean;
}

/** The options that are plain settings; anything unknown stays among them and is refused. */
export function settingsIn(options: TrainingControls & RowOptions & object): Record<string, unknown> {
  const {
    context: _context,
    weights: _weights,
    validation: _validation,
    onEpoch: _onEpoch,
    onProgress: _onProgress,
    onRecovery: _onRecovery,
    signal: _signal,
    maxMinutes: _maxMinutes,
    checkpoint: _checkpoint,
    providers: _providers,
    threads: _threads,
    ...settings
  } = options as FitOptions;
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
}

/** When training must end, on the clock of `performance.now()`. */
export const deadlineOf = (maxMinutes: number | undefined): number =>
  performance.now() + (maxMinutes ?? Number.POSITIVE_INFINITY) * 60_000;
