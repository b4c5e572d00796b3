import {
  anyValue,
  checkOptions,
  integerFrom,
  type OptionRules,
  PushforwardError,
} from "../../check/index.ts";
import { dataset } from "../../dataset/index.ts";
import { Random } from "../../random/index.ts";
import { engineOptionsOf } from "../../runtime/index.ts";
import {
  type ConditionalDensityOptions,
  conditionalDensityRules,
  fitConditionalDensity,
} from "./conditionalDensity.ts";
import { checkedObservation } from "./observation.ts";
import { SimulationPosterior } from "./posterior.ts";
import {
  checkSimulations,
  joinSimulations,
  type Simulations,
  simulate,
  simulateAt,
  simulationsRule,
} from "./simulate.ts";
import type { Priors, Simulator } from "./simulator.ts";
import { sampleTruncatedPrior } from "./truncatedPrior.ts";

/** Options of `fitPosterior`. */
export interface FitPosteriorOptions extends ConditionalDensityOptions {
  /**
   * The number of simulations of all rounds together; or, for the first round, a result of `simulate`, to which each later round adds as many
   * new simulations. Default 10,000.
   */
  simulations?: number | Simulations | undefined;
  /** Number of rounds. Rounds after the first simulate only in the region of the posterior given `observed`. Default 1. */
  rounds?: number | undefined;
  /** The observation, which several rounds need. The posterior is then valid for this observation only. Default none. */
  observed?: ArrayLike<number> | undefined;
}

/** The rules of these options. */
export const fitPosteriorRules: OptionRules<FitPosteriorOptions> = {
  ...conditionalDensityRules,
  simulations: simulationsRule,
  rounds: integerFrom(1),
  observed: anyValue,
};

/**
 * Neural posterior estimation (Papamakarios and Murray 2016): fits a conditional flow q(u | x) to the coordinates u of
 * parameters of the prior and the data x that the simulator returns for them, by maximum likelihood. The result has the posterior for any
 * observation, and draws from it without new simulations.
 *
 * With several rounds, it is the posterior for one observation only, for which fewer simulations suffice: each round draws parameters from
 * the prior, truncated to the region of the posterior of the round before (Deistler et al. 2022).
 *
 * @throws ARGUMENT when an option is not valid; MODEL as `simulate` does; SHAPE when `observed` has a different number of values from a
 *   simulation; DATA when a value of `observed` is not finite, or for fewer than two simulations; NUMERIC when the truncated prior cannot be sampled; INTERRUPTED when `signal` is aborted.
 */
export async function fitPosterior<P extends Priors>(
  simulator: Simulator<P>,
  options: FitPosteriorOptions = {},
): Promise<SimulationPosterior<P>> {
  checkOptions("fitPosterior", options, fitPosteriorRules);
  const { simulations = 10_000, rounds = 1, observed: observation, ...fitOptions } = options;
  // A copy, because the caller may change its array while this runs. It has the same elements: `checkedObservation` refuses other than numbers.
  const observed = observation && Array.from(observation);
  if (rounds > 1 && !observed) {
    throw new PushforwardError("ARGUMENT", "several rounds of fitPosterior need the option observed", {
      received: `${rounds} rounds and no observation`,
    });
  }
  const { seed = 0, signal } = fitOptions;
  const isNumber = typeof simulations === "number";
  if (isNumber) checkSimulations(simulations);
  const perRound = isNumber ? Math.ceil(simulations / rounds) : simulations.count;
  let all = isNumber ? await simulate(simulator, perRound, { seed, signal }) : simulations;
  // An invalid observation must be an error before the fit, which takes longest.
  const context = observed && checkedObservation(observed, all.width);
  for (let round = 1; ; round++) {
    const rows = dataset(all.coordinates, { features: simulator.prior.features, context: all.data });
    const density = await fitConditionalDensity(rows, fitOptions);
    if (round === rounds) return new SimulationPosterior({ simulator, simulations: all, ...density });
    const random = new Random(seed).split(`round ${round}`);
    const proposed = await sampleTruncatedPrior(density.flow, context!, perRound, random.split("prior"), {
      ...engineOptionsOf(options),
      signal,
    });
    await density.flow.release();
    const simulated = await simulateAt(simulator, proposed, random.split("simulations"), signal, all.width);
    all = joinSimulations(all, simulated);
  }
}
