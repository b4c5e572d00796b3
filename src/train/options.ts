import { z } from "zod";
import type { EngineOptions } from "../runtime/engineOptions.ts";
import { optimizerSchema } from "./optimizer.ts";
import { scheduleSchema } from "./schedule.ts";

export const fitSettingsSchema = z.strictObject({
  /** What is minimized: minus the log-density, or for continuous flows the error of the velocity (flow matching). */
  objective: z.enum(["likelihood", "flowMatching"]).default("likelihood"),
  /** Most epochs; see `trainingLengths` for the default. Early stopping usually ends sooner. */
  epochs: z.int().positive().optional(),
  batchSize: z.int().positive().default(256),
  optimizer: optimizerSchema.prefault({}),
  schedule: scheduleSchema.prefault({}),
  /** Largest gradient norm; longer gradients are scaled down to it. */
  clipNorm: z.number().positive().default(5),
  /** Share of the rows held out for early stopping, where no validation rows are given. */
  validationFraction: z.number().gt(0).lt(1).default(0.1),
  /** Epochs without a better validation log-density after which training ends; see `trainingLengths` for the default. */
  patience: z.int().positive().optional(),
  /** Decay of a moving average of the weights, by step; validation and the result use the average. 0 turns it off. */
  averageDecay: z.number().min(0).lt(1).default(0.99),
  /** Seed of the shuffling and of the validation split. */
  seed: z.int().nonnegative().default(0),
});

export type FitSettings = z.input<typeof fitSettingsSchema>;

/**
 * How many epochs a training may last, and how many without a better validation log-density end it or halve its step size.
 * The defaults are 500, 20 and 8 epochs, or more on few rows: as many as make 10,000, 500 and 200 steps. (Of 1,000 rows an
 * epoch is 4 steps, and training would end before it had begun.)
 */
export function trainingLengths(
  { epochs, patience, schedule }: z.output<typeof fitSettingsSchema>,
  batches: number,
): { epochs: number; patience: number; plateau: number } {
  const atLeast = (count: number, steps: number) => Math.max(count, Math.ceil(steps / batches));
  return {
    epochs: epochs ?? atLeast(500, 10_000),
    patience: patience ?? atLeast(20, 500),
    plateau: schedule.patience ?? atLeast(8, 200),
  };
}

/** One line of the training record. */
export interface Epoch {
  readonly epoch: number;
  /** Mean log-density in nats, in data units. */
  readonly trainLogDensity: number;
  readonly validationLogDensity: number;
  readonly stepSize: number;
}

/** How far training is, for progress bars. */
export interface Progress {
  readonly epoch: number;
  /** Share of the epoch's batches that are done. */
  readonly fraction: number;
  readonly best: number;
}

export interface FitOptions extends FitSettings, EngineOptions {
  /** [rows, C], for a conditional flow. */
  context?: ArrayLike<number>;
  /** One non-negative weight a row. */
  weights?: ArrayLike<number>;
  /** Rows for early stopping, in place of a random share of the data. */
  validation?: {
    readonly values: ArrayLike<number>;
    readonly context?: ArrayLike<number>;
    readonly weights?: ArrayLike<number>;
  };
  /** False if scales and other data-fitted parts are already set. Default true. */
  initialize?: boolean;
  onEpoch?(epoch: Epoch): void;
  onProgress?(progress: Progress): void;
  /** Told when a loss that failed sent training back to its last good weights. */
  onRecovery?(message: string): void;
  /** Ends training after the running batch; what was best so far is kept. */
  signal?: AbortSignal;
  /** Ends training when so many minutes have passed since the call, preparation included. */
  maxMinutes?: number;
  checkpoint?: CheckpointStore;
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
export function settingsIn(options: FitOptions): FitSettings {
  const {
    context: _context,
    weights: _weights,
    validation: _validation,
    initialize: _initialize,
    onEpoch: _onEpoch,
    onProgress: _onProgress,
    onRecovery: _onRecovery,
    signal: _signal,
    maxMinutes: _maxMinutes,
    checkpoint: _checkpoint,
    providers: _providers,
    threads: _threads,
    ...settings
  } = options;
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
}
