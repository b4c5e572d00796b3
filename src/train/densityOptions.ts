import { z } from "zod";
import { PushforwardError } from "../errors.ts";
import { parse } from "../parse.ts";
import type { EngineOptions } from "../runtime/engineOptions.ts";
import type { OptimizerOptions } from "./optimizer.ts";
import { fitSettingsSchema } from "./options.ts";
import { type ScheduleOptions, scheduleSchema } from "./schedule.ts";

const common = { batchSize: true, optimizer: true, clipNorm: true, averageDecay: true, seed: true } as const;

export const densitySettingsSchema = fitSettingsSchema.pick(common).extend({
  steps: z.int().positive().default(5000),
  schedule: scheduleSchema
    .omit({ patience: true })
    .extend({ type: z.enum(["constant", "cosine"]).default("cosine") })
    .prefault({}),
  annealing: z
    .strictObject({
      start: z.number().min(0).max(1).default(0.01),
      steps: z.int().positive().default(10_000),
    })
    .optional(),
  stickTheLanding: z.boolean().default(false),
  samples: z.int().min(2).default(10_000),
  detectMissedMass: z.boolean().default(true),
});

/** The plain settings of `fitDensity`. */
export interface DensitySettings {
  /** Gradient steps. Default 5000. */
  steps?: number;
  /** Rows drawn in a step. Default 256. */
  batchSize?: number;
  /** Default AdamW with a learning rate of 0.001. */
  optimizer?: OptimizerOptions;
  /** Default `cosine`: there are no held-out rows whose plateau a schedule could wait for. */
  schedule?: Omit<ScheduleOptions, "type" | "patience"> & { type?: "constant" | "cosine" };
  /** Largest norm of a gradient; longer ones are scaled down to it. Default 5. */
  clipNorm?: number;
  /** Decay of a moving average of the weights, by step, which the flow gets in the end. 0 turns it off. Default 0.99. */
  averageDecay?: number;
  /** Multiplies the log-density by min(1, start + t / steps) in step t. Default none: by 1. */
  annealing?: AnnealingOptions;
  /** Leaves out the part of the gradient whose expectation is 0 (Roeder et al. 2017). Default false. */
  stickTheLanding?: boolean;
  /** Rows of the sample that the result is computed from, at least 2. Default 10,000. */
  samples?: number;
  /** Looks for mass of the density that the flow misses: see `importance`. Default true. */
  detectMissedMass?: boolean;
  /** Seed of all noise. Default 0. */
  seed?: number;
}

/** How a log-density rises from a flat one. */
export interface AnnealingOptions {
  /** Factor of the log-density in the first step, in [0, 1]. Default 0.01. */
  start?: number;
  /** The factor grows by 1 / steps in each step. Default 10,000. */
  steps?: number;
}

/** One line of the record: what 100 steps have come to. */
export interface FitDensityRecord {
  /** Steps that are done. */
  readonly step: number;
  /** Mean evidence lower bound of the samples of these steps, in nats, without annealing. */
  readonly elbo: number;
  /** Factor of the log-density in the last of them. */
  readonly annealing: number;
  readonly stepSize: number;
}

/** How far fitting is, for progress bars. */
export interface FitDensityProgress {
  readonly step: number;
  /** Share of the steps that are done. */
  readonly fraction: number;
  /** Of the samples of this step. */
  readonly elbo: number;
}

export interface FitDensityOptions extends DensitySettings, EngineOptions {
  onProgress?(progress: FitDensityProgress): void;
  /** Told when fitting went back to its last good weights. */
  onRecovery?(message: string): void;
  /** Ends fitting after the running step. */
  signal?: AbortSignal;
  /** Ends fitting when so many minutes have passed. */
  maxMinutes?: number;
}

/** The settings among the options; anything unknown is refused. Throws `ARGUMENT`. */
export function densitySettings(options: FitDensityOptions): z.output<typeof densitySettingsSchema> {
  const {
    onProgress: _onProgress,
    onRecovery: _onRecovery,
    signal: _signal,
    maxMinutes: _maxMinutes,
    providers: _providers,
    threads: _threads,
    ...rest
  } = options;
  const given = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined));
  const settings = parse(densitySettingsSchema, given, "an option of fitDensity");
  const { annealing, steps } = settings;
  if (annealing && annealingAt(annealing, steps - 1) < 1) {
    throw new PushforwardError("ARGUMENT", "fitDensity ends before its annealing does", {
      expected: `more than ${Math.ceil((1 - annealing.start) * annealing.steps)} steps`,
      received: `${steps}`,
      hint: "The flow would be fitted to a flatter density than yours.",
    });
  }
  return settings;
}

/** Factor of the log-density in a step (Rezende and Mohamed 2015, section 6.1). */
export const annealingAt = (
  annealing: { readonly start: number; readonly steps: number } | undefined,
  step: number,
): number => (annealing ? Math.min(1, annealing.start + step / annealing.steps) : 1);
