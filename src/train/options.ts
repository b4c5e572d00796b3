import * as z from "zod/mini";
import { broadcastNumber, type Communicator, SINGLE_PROCESS } from "../communicator/index.ts";
import type { InMemoryDataset, RowsInput } from "../dataset/index.ts";
import type { EngineOptions } from "../runtime/index.ts";
import type { Loss } from "./batchLoss.ts";
import { type OptimizerOptions, optimizerSchema } from "./optimizer.ts";
import { type ScheduleOptions, scheduleSchema } from "./schedule.ts";

/** The settings that all training runs share. */
const trainingSettings = {
  epochs: z.optional(z.int().check(z.positive())),
  batchSize: z._default(z.int().check(z.positive()), 256),
  optimizer: z.prefault(optimizerSchema, {}),
  schedule: z.prefault(scheduleSchema, {}),
  clipNorm: z._default(z.number().check(z.positive()), 5),
  validationFraction: z._default(z.number().check(z.gt(0), z.lt(1)), 0.1),
  patience: z.optional(z.int().check(z.positive())),
  averageDecay: z._default(z.number().check(z.minimum(0), z.lt(1)), 0.99),
  seed: z._default(z.int().check(z.nonnegative()), 0),
};

export const fitSettingsSchema = z.strictObject({
  objective: z._default(z.enum(["likelihood", "flowMatching"]), "likelihood"),
  klWarmUp: z._default(z.int().check(z.nonnegative()), 0),
  ...trainingSettings,
});

/** The plain settings that all training runs on rows have. */
export interface CommonSettings {
  /** Largest number of epochs; early stopping usually ends sooner. Default 500, or more if 500 epochs are fewer than 10,000 steps. */
  epochs?: number | undefined;
  /** Number of rows in a batch. Default 256. */
  batchSize?: number | undefined;
  /** Default AdamW with a learning rate of 0.001. */
  optimizer?: OptimizerOptions | undefined;
  /** Default `plateau`. */
  schedule?: ScheduleOptions | undefined;
  /** Gradients with a larger norm are scaled down to this norm. Default 5. */
  clipNorm?: number | undefined;
  /** Fraction of the rows to hold out for early stopping, in (0, 1). It cannot be combined with validation rows. Default 0.1. */
  validationFraction?: number | undefined;
  /** Epochs without a smaller validation loss after which training ends. Default 20, or more if 20 epochs are fewer than 500 steps. */
  patience?: number | undefined;
  /**
   * Decay per step of the moving average of the weights, which validation and the result use. With 0 they use the weights of the last
   * step. Default 0.99.
   */
  averageDecay?: number | undefined;
  /** Seed of the shuffling, the validation split and the random numbers of a loss, up to 2^53 (a number, not a bigint). Default 0. */
  seed?: number | undefined;
}

/** The plain settings of `fit`. */
export interface FitSettings extends CommonSettings {
  /**
   * The loss: the negative log-likelihood (`likelihood`), or for continuous flows the squared error of the velocity
   * (`flowMatching`). Default `likelihood`.
   */
  objective?: "likelihood" | "flowMatching" | undefined;
  /**
   * KL warm-up of a variational autoencoder (Sønderby et al. 2016): the weight of the KL divergence in the bound rises linearly from 0
   * to 1 over this many epochs. Validation always uses weight 1, and `patience` begins after the warm-up. Default 0.
   */
  klWarmUp?: number | undefined;
}

export const minimizeSettingsSchema = z.strictObject({
  ...trainingSettings,
  validationFraction: z._default(z.number().check(z.minimum(0), z.lt(1)), 0.1),
  steps: z._default(z.int().check(z.positive()), 5000),
});

/** The plain settings of `minimize`. */
export interface MinimizeSettings extends CommonSettings {
  /**
   * Fraction of the rows to hold out for early stopping, in [0, 1). With 0 there is no early stopping, so `validationLoss`, `patience` and
   * the settings of the schedule `plateau` are errors. It cannot be combined with validation rows. Default 0.1.
   */
  validationFraction?: number | undefined;
  /** Number of steps without data. With data it is an error. Default 5000. */
  steps?: number | undefined;
}

/** Settings with their defaults. */
export type TrainingSettings = z.output<typeof minimizeSettingsSchema>;

/**
 * The largest number of epochs, and the numbers of epochs without a smaller validation loss that end training (`patience`) or
 * halve the learning rate (`plateau`). The defaults are 500, 20 and 8 epochs, but at least 10,000, 500 and 200 steps: an epoch
 * of 1,000 rows has only 4 steps, and 20 epochs would be too few to learn anything.
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

/** The options that are not undefined, which may replace defaults. */
export const definedOptions = <T extends object>(options: T | undefined): Partial<T> =>
  Object.fromEntries(Object.entries(options ?? {}).filter(([, value]) => value !== undefined)) as Partial<T>;

/** The record of an epoch of `minimize`. */
export interface MinimizeEpoch {
  readonly epoch: number;
  /** Number of steps since the beginning of training. */
  readonly step: number;
  /**
   * Mean loss of the batches of the epoch, each with the weights of its step. With the option `validationLoss`: the mean of that
   * loss over at most 1,000 training rows after the epoch.
   */
  readonly trainLoss: number;
  /** Mean loss of the validation rows, if there are any. */
  readonly validationLoss?: number;
  /** Learning rate of the last step. */
  readonly learningRate: number;
  /** Means over the batches of the epoch of the further quantities that the loss reports. */
  readonly metrics?: Readonly<Record<string, number>>;
}

/** Progress of a training run, reported after each step. */
export interface MinimizeProgress {
  readonly epoch: number;
  /** Fraction of the steps of the epoch that are done. */
  readonly fraction: number;
  /** Number of steps since the beginning of training. */
  readonly step: number;
  /** The smallest validation loss so far. Infinity without validation rows. */
  readonly best: number;
  /** The epoch with this value; 0 is the initial model. */
  readonly bestEpoch: number;
  /** The epoch after which training ends if the validation rows no longer improve. */
  readonly lastEpoch: number;
  /** The largest number of epochs. */
  readonly maxEpochs: number;
  /** The loss of the step. */
  readonly loss: number;
  /** The further quantities that the loss reports. */
  readonly metrics: Readonly<Record<string, number>>;
}

/**
 * Options of all training runs that are not settings. Apart from rounding, they do not change the result of a training run that is not ended
 * early.
 */
export interface TrainingControls extends EngineOptions {
  /** Called when a failed loss made training return to the weights at the start of the epoch. */
  onRecovery?: ((message: string) => void) | undefined;
  /** Ends training after the current batch; the model gets the best weights so far. Default none. */
  signal?: AbortSignal | undefined;
  /** Ends training this many minutes after the call, including preparation. Default: no limit. */
  maxMinutes?: number | undefined;
  /**
   * The processes that train the model together, such as those of `mpiCommunicator`. All must call with the same data and options, and
   * all get the same model. Default: this process only.
   */
  communicator?: Communicator | undefined;
}

/** Options of training runs on rows of data. */
export interface RowOptions {
  /** `[rows, C]`: the context of each row. Default none. */
  context?: RowsInput | undefined;
  /** `[rows]`: a non-negative weight for each row. Default 1 for each. */
  weights?: ArrayLike<number> | undefined;
  /**
   * Rows for early stopping. Give `dataset(...)` if they have a context or weights. They cannot be combined with `validationFraction`.
   * Default: a random part of the data.
   */
  validation?: RowsInput | InMemoryDataset | undefined;
  /** Where training saves checkpoints, and from which it resumes. Default none. */
  checkpoint?: CheckpointStore | undefined;
}

/** Options of `minimize`. */
export interface MinimizeOptions extends MinimizeSettings, TrainingControls, RowOptions {
  /** The loss of the validation rows. Default: the loss of training. */
  validationLoss?: Loss | undefined;
  /** Modules whose parameters the loss reads and that are not trained. Default none. */
  frozen?: object | undefined;
  /**
   * Called after each epoch. While it runs, the model has the weights that were validated. Training waits for a promise that it
   * returns.
   */
  onEpoch?: ((epoch: MinimizeEpoch) => unknown) | undefined;
  /** Called after each step. */
  onProgress?: ((progress: MinimizeProgress) => void) | undefined;
}

/** The record of an epoch of `fit`. */
export interface FitEpoch {
  readonly epoch: number;
  /** Mean log-density in nats, in data units. */
  readonly trainLogDensity: number;
  readonly validationLogDensity: number;
  /** Learning rate of the last step. */
  readonly learningRate: number;
}

/** Progress of `fit`, reported after each step. */
export interface FitProgress {
  readonly epoch: number;
  /** Fraction of the batches of the epoch that are done. */
  readonly fraction: number;
  /** The largest validation log-density so far. */
  readonly best: number;
  /** The epoch with this value; 0 is the initial model. */
  readonly bestEpoch: number;
  /** The epoch after which training ends if the validation rows no longer improve. */
  readonly lastEpoch: number;
  /** The largest number of epochs. */
  readonly maxEpochs: number;
}

/** Options of `fit`. */
export interface FitOptions extends FitSettings, TrainingControls, RowOptions {
  /** Whether to initialize scales and other parts from the data before training. Default true. */
  initialize?: boolean | undefined;
  /**
   * Called after each epoch. While it runs, the flow has the weights that were validated. Training waits for a promise that it
   * returns.
   */
  onEpoch?: ((epoch: FitEpoch) => unknown) | undefined;
  /** Called after each step. */
  onProgress?: ((progress: FitProgress) => void) | undefined;
}

/** Loads and saves the checkpoint of a training run. There is one at a time, written at the end of an epoch. */
export interface CheckpointStore {
  /** Returns the last checkpoint, from which training resumes, or undefined to start from the beginning. */
  load(): Promise<Uint8Array | undefined>;
  /** Stores a checkpoint in place of the previous one. */
  save(bytes: Uint8Array): Promise<void>;
  /** Called after each epoch: whether to save a checkpoint now. By default every epoch saves one, which can take longer than the epoch. */
  due?(): boolean;
}

/** The time at which training must end, on the clock of `performance.now()`. */
export const deadlineOf = (maxMinutes: number | undefined): number =>
  performance.now() + (maxMinutes ?? Number.POSITIVE_INFINITY) * 60_000;

/**
 * The minutes that are left of `maxMinutes` since `start`, at least 0, on the clock of rank 0: all processes then train the same models.
 * Undefined without a limit.
 */
export async function remainingMinutes(
  start: number,
  maxMinutes: number | undefined,
  communicator: Communicator = SINGLE_PROCESS,
): Promise<number | undefined> {
  if (maxMinutes === undefined) return undefined;
  return broadcastNumber(communicator, Math.max(0, maxMinutes - (performance.now() - start) / 60_000));
}
