import * as z from "zod/mini";

export const scheduleSchema = z.strictObject({
  type: z._default(z.enum(["constant", "cosine", "plateau"]), "plateau"),
  warmupSteps: z._default(z.int().check(z.nonnegative()), 0),
  final: z._default(z.number().check(z.minimum(0), z.maximum(1)), 0.01),
  patience: z.optional(z.int().check(z.positive())),
});

/** The schedule of the learning rate during training. */
export interface ScheduleOptions {
  /**
   * `plateau` halves the learning rate when the validation loss has not decreased for `patience` epochs; `cosine` decreases it along
   * a half cosine to `final` times its initial value over all epochs; `constant` keeps it. Default `plateau`.
   */
  type?: "constant" | "cosine" | "plateau" | undefined;
  /** Number of steps over which the learning rate rises linearly from 0. Default 0. */
  warmupSteps?: number | undefined;
  /**
   * The smallest factor of the learning rate after the warmup, in [0, 1]: `cosine` ends with it, and `plateau` does not go below it. With
   * `constant` it is an error. Default 0.01.
   */
  final?: number | undefined;
  /**
   * Epochs without a smaller validation loss after which `plateau` halves the learning rate. With another type it is an error. Default: the
   * number of epochs with 200 steps, but at least 8.
   */
  patience?: number | undefined;
}

/** The progress of training on which the schedule depends. */
export interface ScheduleState {
  readonly step: number;
  /** The largest number of steps of the training. */
  readonly totalSteps: number;
  /** The number of times so far that the validation loss has not decreased for `patience` epochs. */
  readonly plateaus: number;
}

/** The factor by which the schedule multiplies the learning rate. */
export function scheduleFactor(
  options: z.output<typeof scheduleSchema>,
  { step, totalSteps, plateaus }: ScheduleState,
): number {
  const { type, warmupSteps, final } = options;
  const warmup = warmupSteps === 0 ? 1 : Math.min(1, (step + 1) / warmupSteps);
  if (type === "constant") return warmup;
  if (type === "plateau") return warmup * Math.max(final, 0.5 ** plateaus);
  const progress = Math.min(1, step / Math.max(1, totalSteps));
  return warmup * (final + (1 - final) * 0.5 * (1 + Math.cos(Math.PI * progress)));
}
