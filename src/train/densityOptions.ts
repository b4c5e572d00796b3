import * as z from "zod/mini";
import { anyValue, callback, checkOptions, type OptionRules, PushforwardError } from "../check/index.ts";
import type { EngineOptions } from "../runtime/index.ts";
import type { OptimizerOptions } from "./optimizer.ts";
import { runControlRules, settingsIn } from "./optionRules.ts";
import { fitSettingsSchema } from "./options.ts";
import { type ScheduleOptions, scheduleSchema } from "./schedule.ts";

const common = { batchSize: true, optimizer: true, clipNorm: true, averageDecay: true, seed: true } as const;

export const densitySettingsSchema = z.extend(z.pick(fitSettingsSchema, common), {
  steps: z._default(z.int().check(z.positive()), 5000),
  schedule: z.prefault(
    z.extend(z.omit(scheduleSchema, { patience: true }), {
      type: z._default(z.enum(["constant", "cosine"]), "cosine"),
    }),
    {},
  ),
  annealing: z.optional(
    z.strictObject({
      start: z._default(z.number().check(z.minimum(0), z.maximum(1)), 0.01),
      steps: z.optional(z.int().check(z.positive())),
    }),
  ),
  objective: z.optional(
    z.discriminatedUnion("type", [
      z.strictObject({ type: z.literal("reverseKL") }),
      z.strictObject({
        type: z.literal("renyi"),
        alpha: z._default(z.number().check(z.minimum(0), z.lt(1)), 0),
        samples: z._default(z.int().check(z.minimum(2), z.maximum(64)), 8),
      }),
      z.strictObject({ type: z.literal("forwardKL") }),
    ]),
  ),
  stickTheLanding: z._default(z.boolean(), false),
  samples: z._default(z.int().check(z.minimum(2)), 10_000),
  detectMissedMass: z._default(z.boolean(), true),
});

/** The plain settings of `fitDensity`. */
export interface DensitySettings {
  /** Gradient steps. Default 5000. */
  steps?: number | undefined;
  /** Number of rows that each step draws. Default 256. */
  batchSize?: number | undefined;
  /** Default AdamW with a learning rate of 0.001. */
  optimizer?: OptimizerOptions | undefined;
  /** Default `cosine`. `plateau` is not available, since there are no held-out rows. */
  schedule?: (Omit<ScheduleOptions, "type" | "patience"> & { type?: "constant" | "cosine" }) | undefined;
  /** Gradients with a larger norm are scaled down to this norm. Default 5. */
  clipNorm?: number | undefined;
  /** Decay per step of the moving average of the weights, which the flow gets at the end; 0 gives it the last weights. Default 0.99. */
  averageDecay?: number | undefined;
  /** Multiplies the log-density by min(1, start + t / steps) in step t. Default: no annealing. */
  annealing?: AnnealingOptions | undefined;
  /** What is minimized. Default `{ type: "reverseKL" }`. */
  objective?: DensityObjective | undefined;
  /** Leaves out the part of the gradient of `reverseKL` whose expectation is 0 (Roeder et al. 2017). Default false. */
  stickTheLanding?: boolean | undefined;
  /** Size of the sample from which the result is computed, at least 2. Default 10,000. */
  samples?: number | undefined;
  /** Whether to look for mass of the density that the flow misses: see `importance`. Default true. */
  detectMissedMass?: boolean | undefined;
  /** Seed of all noise. Default 0. */
  seed?: number | undefined;
}

/**
 * What `fitDensity` minimizes.
 *
 * - `reverseKL`: KL(q || p), which may be small although q leaves out a part of p.
 * - `renyi`: the negative Renyi bound of order alpha in [0, 1), from `samples` draws for each row of the batch. Defaults: alpha = 0, which
 *   is the importance-weighted bound, and 8 draws, of 2 to 64. The smaller alpha is, the more of p is covered by q. See `renyiBound`.
 * - `forwardKL`: KL(p || q), which is large if q leaves out a part of p, estimated with the importance weights of the draws of a batch. See
 *   `forwardDivergence`.
 */
export type DensityObjective =
  | { type: "reverseKL" }
  | { type: "renyi"; alpha?: number; samples?: number }
  | { type: "forwardKL" };

/** Annealing multiplies the log-density by a factor that grows linearly to 1, so that training begins with a flatter density. */
export interface AnnealingOptions {
  /** Factor of the log-density in the first step, in [0, 1]. Default 0.01. */
  start?: number | undefined;
  /** The factor grows by 1 / steps in each step. Default: half of the steps of the training. */
  steps?: number | undefined;
}

/** Summary of 100 steps of `fitDensity`. */
export interface FitDensityRecord {
  /** Number of steps so far. */
  readonly step: number;
  /** Mean evidence lower bound of the samples of these steps, in nats, without annealing. */
  readonly elbo: number;
  /** Factor of the log-density in the last of these steps. */
  readonly annealing: number;
  readonly learningRate: number;
}

/** Progress of `fitDensity`, reported after each step. */
export interface FitDensityProgress {
  readonly step: number;
  /** Fraction of all steps that are done. */
  readonly fraction: number;
  /** Evidence lower bound in nats of the samples of this step. */
  readonly elbo: number;
}

/** Options of `fitDensity`. */
export interface FitDensityOptions extends DensitySettings, EngineOptions {
  /** Called after each step. */
  onProgress?: ((progress: FitDensityProgress) => void) | undefined;
  /** Called when a failed loss made training return to the weights after the last multiple of 100 steps. */
  onRecovery?: ((message: string) => void) | undefined;
  /** Ends training after the current step. Default none. */
  signal?: AbortSignal | undefined;
  /** Ends training after this many minutes. Default: no limit. */
  maxMinutes?: number | undefined;
}

/** The schema of the settings checks their values. */
const densityRules: OptionRules<FitDensityOptions> = {
  steps: anyValue,
  batchSize: anyValue,
  optimizer: anyValue,
  schedule: anyValue,
  clipNorm: anyValue,
  averageDecay: anyValue,
  annealing: anyValue,
  objective: anyValue,
  stickTheLanding: anyValue,
  samples: anyValue,
  detectMissedMass: anyValue,
  seed: anyValue,
  onProgress: callback,
  ...runControlRules,
};

/** Returns the settings among the options, with defaults. Throws `ARGUMENT` for unknown and for invalid options. */
export function densitySettings(options: FitDensityOptions) {
  checkOptions("fitDensity", options, densityRules);
  const settings = settingsIn(densitySettingsSchema, options, "fitDensity");
  const { steps, objective, stickTheLanding } = settings;
  const annealing = settings.annealing && {
    start: settings.annealing.start,
    steps: settings.annealing.steps ?? Math.ceil(steps / 2),
  };
  if (stickTheLanding && objective && objective.type !== "reverseKL") {
    throw new PushforwardError("ARGUMENT", "stickTheLanding applies only to the objective reverseKL", {
      expected: "the objective reverseKL",
      received: objective.type,
      hint: "Leave it out: the gradient of renyi has no such part, and forwardKL has no gradient through samples.",
    });
  }
  if (annealing && annealingAt(annealing, steps - 1) < 1) {
    throw new PushforwardError("ARGUMENT", "annealing does not end within the steps of fitDensity", {
      expected: `more than ${Math.ceil((1 - annealing.start) * annealing.steps)} steps`,
      received: `${steps}`,
      hint: "Raise steps or lower annealing.steps: the flow would be fitted to a flatter density than yours.",
    });
  }
  return { ...settings, annealing };
}

/** The factor of the log-density in a step (Rezende and Mohamed 2015, section 6.1). */
export const annealingAt = (
  annealing: { readonly start: number; readonly steps: number } | undefined,
  step: number,
): number => (annealing ? Math.min(1, annealing.start + step / annealing.steps) : 1);
