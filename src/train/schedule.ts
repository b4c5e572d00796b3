import { z } from "zod";

export const scheduleSchema = z.strictObject({
  type: z.enum(["constant", "cosine", "plateau"]).default("plateau"),
  warmupSteps: z.int().nonnegative().default(0),
  final: z.number().min(0).max(1).default(0.01),
  patience: z.int().positive().optional(),
});

/** How the step size changes in the course of a training. */
export interface ScheduleOptions {
  /**
   * `plateau` halves the step size when the validation loss has not fallen for `patience` epochs; `cosine` lets it fall to
   * `final` over all epochs; `constant` leaves it. Default `plateau`.
   */
  type?: "constant" | "cosine" | "plateau";
  /** Steps over which the step size rises from 0. Default 0. */
  warmupSteps?: number;
  /** Share of the step size that is left at the end, in [0, 1]. Default 0.01. */
  final?: number;
  /** Epochs without a smaller validation loss after which `plateau` halves the step size. Default 8, or as many as make 200 steps. */
  patience?: number;
}

/** Where training stands. */
export interface Moment {
  readonly step: number;
  /** Steps that the whole training may take. */
  readonly totalSteps: number;
  /** How often validation has stood still for `patience` epochs. */
  readonly plateaus: number;
}

/** Factor of the step size at a moment. */
export function stepScale(
  options: z.output<typeof scheduleSchema>,
  { step, totalSteps, plateaus }: Moment,
): number {
  const { type, warmupSteps, final } = options;
  const warmup = warmupSteps === 0 ? 1 : Math.min(1, (step + 1) / warmupSteps);
  if (type === "constant") return warmup;
  if (type === "plateau") return warmup * Math.max(final, 0.5 ** plateaus);
  const progress = Math.min(1, step / Math.max(1, totalSteps));
  return warmup * (final + (1 - final) * 0.5 * (1 + Math.cos(Math.PI * progress)));
}
