import * as z from "zod/mini";
import { abortSignal, checkOptions, PushforwardError, parse } from "../check/index.ts";
import { Flow } from "../flows/index.ts";
import { type EngineOptions, engineRules } from "../runtime/index.ts";
import type { FitDensityOptions } from "../train/index.ts";

/** Progress of `infer`. */
export interface InferProgress {
  readonly stage: "pilot" | "fit" | "chains";
  /** Fraction of the stage that is done. */
  readonly fraction: number;
  /** Evidence lower bound in nats of the draws of a step, while the flow is fitted. */
  readonly elbo?: number;
}

/** Options of `fitDensity` that `infer` sets itself. */
const RESERVED_OPTIONS = ["seed", "samples", "detectMissedMass"] as const;
type ReservedOption = (typeof RESERVED_OPTIONS)[number];

/** Options of `infer`. */
export interface InferOptions extends EngineOptions {
  /**
   * The flow to fit, over the unconstrained coordinates, or a function that returns it for a seed. Default: `realNVP` after an affine map from
   * the pilot chains.
   */
  flow?: Flow | ((seed: number) => Flow) | undefined;
  /** Number of fits, with the seeds `seed`, `seed` + 1, ..., of which the one with the largest bound is kept. Default 1. */
  restarts?: number | undefined;
  /** Options of `fitDensity`. Defaults: 2000 steps, a learning rate of 0.002, `stickTheLanding`. */
  fit?: Omit<FitDensityOptions, ReservedOption> | undefined;
  /** Number of weighted draws of the flow, which the chains of `independence` share. Default 10,000. */
  samples?: number | undefined;
  /**
   * The chains whose draws are returned. `nuts`: the No-U-Turn sampler in the latent space of the flow, with proposals from the
   * flow. `independence`: proposals from the flow only, without further evaluations of the density. `none`: draws of the
   * flow, resampled by their weights. Default `nuts`.
   */
  refinement?: "nuts" | "independence" | "none" | undefined;
  /** Number of chains. Default 8. */
  chains?: number | undefined;
  /** Number of draws of each chain of the No-U-Turn sampler. Default 500. */
  draws?: number | undefined;
  /** Number of transitions of each chain before its draws, which adapt the step size and the mass matrix. Default 200. */
  warmUp?: number | undefined;
  /** Target of the acceptance probability of trajectories, in (0, 1). A larger one gives smaller steps. Default 0.8. */
  targetAcceptance?: number | undefined;
  /** Trajectories have at most 2^maxDepth - 1 steps. Default 8. */
  maxDepth?: number | undefined;
  /** Seed of all random numbers. Default 0. */
  seed?: number | undefined;
  /** Ends the inference with an `INTERRUPTED` error. Default none. */
  signal?: AbortSignal | undefined;
  /** Called at the start of the pilot chains, after each step of the fit, and after each transition of the chains. */
  onProgress?: ((progress: InferProgress) => void) | undefined;
}

/** With fewer draws of each chain, R-hat could not show that the chains disagree. */
const MIN_DRAWS = 10;

const count = (smallest: number) => z.int().check(z.minimum(smallest));

const inferOptionsSchema = z.strictObject({
  flow: z.optional(
    z.custom<Flow | ((seed: number) => Flow)>(
      (value) => value instanceof Flow || typeof value === "function",
      { error: "a Flow, or a function that returns one" },
    ),
  ),
  restarts: z._default(count(1), 1),
  // `fitDensity` checks its options.
  fit: z.optional(z.custom<InferOptions["fit"]>()),
  onProgress: z.optional(z.custom<InferOptions["onProgress"]>()),
  // `inferSettings` checks these by rules.
  providers: z.optional(z.custom<EngineOptions["providers"]>()),
  threads: z.optional(z.custom<EngineOptions["threads"]>()),
  signal: z.optional(z.custom<AbortSignal>()),
  samples: z._default(count(100), 10_000),
  refinement: z._default(z.enum(["nuts", "independence", "none"]), "nuts"),
  chains: z._default(count(2), 8),
  draws: z._default(count(MIN_DRAWS), 500),
  warmUp: z._default(count(20), 200),
  targetAcceptance: z._default(z.number().check(z.gt(0), z.lt(1)), 0.8),
  maxDepth: z._default(count(1).check(z.maximum(20)), 8),
  seed: z._default(count(0), 0),
});

/** The options with their defaults. Throws `ARGUMENT` for unknown and for invalid options. */
export function inferSettings(options: InferOptions): z.output<typeof inferOptionsSchema> {
  const settings = parse(inferOptionsSchema, options, "an option of infer");
  const { providers, threads, signal } = options;
  checkOptions("infer", { providers, threads, signal }, { ...engineRules, signal: abortSignal });
  if (settings.restarts > 1 && settings.flow instanceof Flow) {
    throw new PushforwardError("ARGUMENT", "the option restarts of infer needs a new flow for each seed", {
      expected: "a function as the option flow, such as (seed) => nsf(2, { seed })",
      received: "a Flow",
    });
  }
  const fewest = MIN_DRAWS * settings.chains;
  if (settings.refinement === "independence" && settings.samples < fewest) {
    throw new PushforwardError("ARGUMENT", "the chains of infer have too few draws", {
      expected: `at least ${fewest} samples, ${MIN_DRAWS} for each of ${settings.chains} chains`,
      received: `${settings.samples}`,
    });
  }
  const { fit }: { fit?: FitDensityOptions | undefined } = settings;
  const own = RESERVED_OPTIONS.find((name) => fit?.[name] !== undefined);
  if (own) {
    throw new PushforwardError("ARGUMENT", `the option fit of infer cannot have ${own}, which infer sets`, {
      hint: own === "detectMissedMass" ? "Leave it out." : `Give ${own} as an option of infer.`,
    });
  }
  return settings;
}
