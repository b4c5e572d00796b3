import type { z } from "zod";
import { type scheduleSchema, stepScale } from "./schedule.ts";

/** How often training goes back to good weights before it gives up. */
export const MAX_RECOVERIES = 3;
/** How often training begins again with smaller steps, and the factor of each time. */
const MAX_RESTARTS = 3;
const RESTART_FACTOR = 1 / 8;

/** What has reduced the step size so far. */
export interface StepSizeState {
  /** How often the validation loss stood still for the patience of the schedule. */
  plateaus: number;
  /** How often the loss became NaN or exploded. Each time halves the steps. */
  recoveries: number;
  /** How often the first epochs only made the loss larger. Each time divides the steps by 8. */
  restarts: number;
}

/** The step size of each step, relative to the learning rate: the schedule, times what failures have made of it. */
export class StepSize {
  readonly state: StepSizeState = { plateaus: 0, recoveries: 0, restarts: 0 };
  private readonly schedule: z.output<typeof scheduleSchema>;
  private readonly totalSteps: number;

  /** `totalSteps` is how many steps the whole training may take. */
  constructor(schedule: z.output<typeof scheduleSchema>, totalSteps: number) {
    this.schedule = schedule;
    this.totalSteps = totalSteps;
  }

  factor(step: number): number {
    const { plateaus, recoveries, restarts } = this.state;
    const scheduled = stepScale(this.schedule, { step, totalSteps: this.totalSteps, plateaus });
    return 0.5 ** recoveries * (scheduled * RESTART_FACTOR ** restarts);
  }

  /** Halves the steps after a failure; false if that was done too often already. */
  recover(): boolean {
    return this.state.recoveries++ < MAX_RECOVERIES;
  }

  /** Divides the steps by 8; false if that was done too often already. */
  restart(): boolean {
    if (this.state.restarts === MAX_RESTARTS) return false;
    this.state.restarts++;
    return true;
  }
}
