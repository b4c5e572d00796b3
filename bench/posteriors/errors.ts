import type { Declarations, Draws } from "../../src/inference/index.ts";
import { summarize } from "../../src/inference/summary.ts";
import type { Reference } from "./reference.ts";

/** The largest errors over the parameters of a posterior. */
export interface Errors {
  /** |mean - reference mean| in units of the reference standard deviation. */
  readonly mean: number;
  /** |sd / reference sd - 1|. */
  readonly sd: number;
  /** The larger one of the errors of the quantiles 0.05 and 0.95, in units of the reference standard deviation. */
  readonly quantile: number;
}

/** The errors of draws. Throws if a parameter of the reference is missing. */
export function errorsOf<D extends Declarations>(
  parameters: D,
  draws: Draws<D>,
  reference: ReadonlyMap<string, Reference>,
): Errors {
  const summaries = new Map(summarize(parameters, draws, 0).map((each) => [each.name, each]));
  const errors = [...reference].map(([name, { mean, sd, q5, q95 }]) => {
    const found = summaries.get(name);
    if (!found) throw new Error(`The model has no parameter ${name}.`);
    return {
      mean: Math.abs(found.mean - mean) / sd,
      sd: Math.abs(found.sd / sd - 1),
      quantile: Math.max(Math.abs(found.q5 - q5), Math.abs(found.q95 - q95)) / sd,
    };
  });
  const largest = (field: keyof Errors) => Math.max(...errors.map((each) => each[field]));
  return { mean: largest("mean"), sd: largest("sd"), quantile: largest("quantile") };
}
