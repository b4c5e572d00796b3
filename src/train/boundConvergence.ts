import { mean, variance } from "../numerics/index.ts";
import type { FitDensityRecord } from "./densityOptions.ts";
import { STEPS_PER_EPOCH_WITHOUT_DATA } from "./problem.ts";

/** A smaller rise of the bound does not matter: it lowers KL(q || p) by no more than this. */
const MAX_RISE_NATS = 0.01;
/** A rise of fewer standard errors is noise. */
const MAX_STANDARD_ERRORS = 2;
/** Each of the two means is over this many records at least. A record is a mean over 100 steps. */
const MIN_RECORDS = 3;

/**
 * Whether the evidence lower bound has stopped rising: its mean over the last fifth of the steps is at most 0.01 nats, or two standard
 * errors, above its mean over the fifth before. Each record is a mean over 100 steps, and the standard error follows from their scatter.
 * A last record of fewer steps has a larger variance, and does not count. Undefined for fewer than 1,500 steps, which are too few to decide.
 */
export function boundHasConverged(history: readonly FitDensityRecord[]): boolean | undefined {
  const complete = history.filter(({ step }) => step % STEPS_PER_EPOCH_WITHOUT_DATA === 0);
  const count = Math.floor(complete.length / 5);
  if (count < MIN_RECORDS) return undefined;
  const bounds = complete.map(({ elbo }) => elbo);
  const [before, last] = [bounds.slice(-2 * count, -count), bounds.slice(-count)];
  const error = Math.sqrt((variance(before) + variance(last)) / count);
  return mean(last) - mean(before) <= Math.max(MAX_RISE_NATS, MAX_STANDARD_ERRORS * error);
}
