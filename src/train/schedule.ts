import { z } from "zod";

export const scheduleSchema = z.strictObject({
  /** `plateau` halves the step when validation has not improved for `patience` epochs; `cosine` falls to `final` over all epochs. */
  type: z.enum(["constant", "cosine", "plateau"]).default("plateau"),
  /** Steps over which the step size rises from 0. */
  warmupSteps: z.int().nonnegative().default(0),
  /** Share of the step size that is left at the end. */
  final: z.number().min(0).max(1).default(0.01),
  patience: z.int().positive().optional(),
});

export type ScheduleOptions = z.input<typeof scheduleSchema>;

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
