import { abortSignal, checkOptions, integerFrom, seedValue } from "../../options.ts";
import { Random } from "../../random/index.ts";
import type { EngineOptions } from "../../runtime/engineOptions.ts";
import { engineRules } from "../../runtime/options.ts";
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
