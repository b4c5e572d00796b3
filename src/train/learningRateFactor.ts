import type * as z from "zod/mini";
import { scheduleFactor, type scheduleSchema } from "./schedule.ts";

/** After this many recoveries, the next failure of the loss is an error. */
export const MAX_RECOVERIES = 3;
/**
 * The largest number of restarts in a training run. A restart repeats an epoch with a smaller learning rate; there is none after the first epoch
 * that is better than the initial model.
 */
const MAX_RESTARTS = 3;
/** The factor of the learning rate in each restart. */
const RESTART_FACTOR = 1 / 8;

/** The events that have reduced the learning rate so far. */
export interface LearningRateState {
  /** The number of plateaus: how often the validation loss did not decrease for the patience of the schedule. */
  plateaus: number;
  /** How often the loss became NaN or exploded. Each time halves the learning rate. */
  recoveries: number;
  /** How often an epoch ended far above the initial loss, before any improved on it. Each time divides the learning rate by 8. */
  restarts: number;
}

/** The factor of the learning rate: the product of the factors of the schedule, recoveries and restarts. */
export class LearningRateFactor {
  readonly state: LearningRateState = { plateaus: 0, recoveries: 0, restarts: 0 };
  private readonly schedule: z.output<typeof scheduleSchema>;
  private readonly totalSteps: number;

  /** `totalSteps` is the largest number of steps of the training. */
  constructor(schedule: z.output<typeof scheduleSchema>, totalSteps: number) {
    this.schedule = schedule;
    this.totalSteps = totalSteps;
  }

  /** The factor of the learning rate in a step, counted from 0. */
  factor(step: number): number {
    const { plateaus, recoveries, restarts } = this.state;
    const scheduled = scheduleFactor(this.schedule, { step, totalSteps: this.totalSteps, plateaus });
    return 0.5 ** recoveries * (scheduled * RESTART_FACTOR ** restarts);
  }

  /** Halves the learning rate after a failure. Returns false if there were too many failures. */
  recover(): boolean {
    return this.state.recoveries++ < MAX_RECOVERIES;
  }

  /** Divides the learning rate by 8. Returns false if there were too many restarts. */
  restart(): boolean {
    if (this.state.restarts === MAX_RESTARTS) return false;
    this.state.restarts++;
    return true;
  }
}
