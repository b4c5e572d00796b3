import { abortSignal, checkOptions, integerFrom, seedValue } from "../../check/index.ts";
import { concatRows } from "../../dataset/index.ts";
import { Random } from "../../random/index.ts";
import { type EngineOptions, engineRules } from "../../runtime/index.ts";
import { checkedObservation } from "./observation.ts";
import type { SimulationPosterior } from "./posterior.ts";
import { type Simulations, simulateAt } from "./simulate.ts";
import type { Priors } from "./simulator.ts";

/** Options of `posteriorPredictive`. */
export interface PredictiveOptions extends EngineOptions {
  /** Number of draws from the posterior, each with a simulation. Default 1,000. */
  draws?: number | undefined;
  /** Seed of the draws and simulations. Default 0. */
  seed?: number | undefined;
  /** Ends the simulations with an `INTERRUPTED` error. Default none. */
  signal?: AbortSignal | undefined;
}

/** The result of `posteriorPredictive`. */
export interface PredictiveCheck {
  /** Data that were simulated for draws from the posterior. */
  readonly simulations: Simulations;
  /** For each value of the observation, the share of the simulated values below it, where equal values count half. */
  readonly ranks: Float64Array;
}

/**
 * Posterior predictive check (Gelman, Meng and Stern 1996): simulates data for draws from the posterior given an observation. If the
 * simulator and the posterior are right, the observation is like one of these simulations. A value whose rank is near 0 or 1 is one that the
 * simulator does not reproduce.
 *
 * @throws SHAPE and DATA as `SimulationPosterior.sample` does; MODEL and INTERRUPTED as `simulate` does.
 */
export async function posteriorPredictive<P extends Priors>(
  posterior: SimulationPosterior<P>,
  observed: ArrayLike<number>,
  options: PredictiveOptions = {},
): Promise<PredictiveCheck> {
  checkOptions("posteriorPredictive", options, {
    ...engineRules,
    draws: integerFrom(1),
    seed: seedValue,
    signal: abortSignal,
  });
  const { draws = 1000, seed = 0, signal, ...engine } = options;
  const values = checkedObservation(observed, posterior.flow.context);
  const coordinates = await posterior.flow.sample(draws, { ...engine, context: values, seed });
  const random = new Random(seed).split("posterior predictive");
  const simulations = await simulateAt(posterior.simulator, coordinates, random, signal);
  const { count, width, data } = simulations;
  const ranks = new Float64Array(width);
  data.forEach((value, i) => {
    const real = values[i % width];
    ranks[i % width] += (value < real ? 1 : value === real ? 0.5 : 0) / count;
  });
  return { simulations, ranks };
}

/**
 * A permutation test of the largest deviation |x_k - mean_k| / sd_k of an observation x. If x is like the simulations, the p-value is at most a
 * with a probability of at most a, for any number of values and any dependence between them. A test of each rank would need simulations in
 * proportion to the number of values. `index` is the k of the largest deviation.
 */
export function largestDeviation(
  observed: Float64Array,
  { width, data }: Simulations,
): { readonly index: number; readonly pValue: number } {
  // Row 0 is the observation. It counts in means and standard deviations too, so that all rows have the same part in the test.
  const rows = concatRows([observed, data]);
  const count = rows.length / width;
  const [means, variances] = [new Float64Array(width), new Float64Array(width)];
  for (const [i, x] of rows.entries()) means[i % width] += x / count;
  for (const [i, x] of rows.entries()) variances[i % width] += (x - means[i % width]) ** 2 / count;
  const deviations = rows.map((x, i) => {
    const k = i % width;
    return variances[k] > 0 ? Math.abs(x - means[k]) / Math.sqrt(variances[k]) : 0;
  });
  const largest = Array.from({ length: count }, (_, n) =>
    deviations.subarray(n * width, (n + 1) * width).reduce((a, b) => Math.max(a, b)),
  );
  return {
    index: deviations.indexOf(largest[0]),
    pValue: largest.filter((each) => each >= largest[0]).length / count,
  };
}
