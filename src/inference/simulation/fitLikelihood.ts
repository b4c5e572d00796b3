import { checkOptions, PushforwardError } from "../../check/index.ts";
import { dataset } from "../../dataset/index.ts";
import type { Flow } from "../../flows/index.ts";
import { constant, scalar, type Tensor } from "../../graph/index.ts";
import type { ProbabilisticModel } from "../model.ts";
import {
  type ConditionalDensityOptions,
  conditionalDensityRules,
  fitConditionalDensity,
} from "./conditionalDensity.ts";
import { checkedObservation } from "./observation.ts";
import { type Simulations, simulate, simulationsRule } from "./simulate.ts";
import type { Priors, Simulator } from "./simulator.ts";

/** Options of `fitLikelihood`. */
export interface FitLikelihoodOptions extends ConditionalDensityOptions {
  /** The number of simulations, or a result of `simulate`. Default 10,000. */
  simulations?: number | Simulations | undefined;
}

/** The likelihood of the parameters of a simulator: q(x | theta), as a conditional flow that was fitted to simulations. */
export class SimulationLikelihood<P extends Priors = Priors> {
  readonly simulator: Simulator<P>;
  /** q(x | u): the density of the data, with the coordinates of the parameters as context. */
  readonly flow: Flow;
  /** Mean log-density of held-out simulations, in nats. */
  readonly validationLogDensity: number;

  constructor(simulator: Simulator<P>, flow: Flow, validationLogDensity: number) {
    this.simulator = simulator;
    this.flow = flow;
    this.validationLogDensity = validationLogDensity;
  }

  /**
   * The model of the parameters given independent observations, each with as many values as a simulation:
   * `infer(likelihood.model([x1, x2]))` draws from the posterior.
   *
   * @throws SHAPE when an observation has a different number of values from a simulation; DATA when a value is not finite.
   */
  model(observations: readonly ArrayLike<number>[]): ProbabilisticModel<P> {
    const { prior } = this.simulator;
    const { features } = this.flow;
    const rows = observations.map((each) => constant(checkedObservation(each, features), [1, features]));
    const logLikelihood = (u: Tensor) =>
      rows.reduce((sum, row) => sum.add(this.flow.logProb(row.broadcastTo(["N", features]), u)), scalar(0));
    const terms = (u: Tensor) => ({
      ...prior.terms(u),
      "the log-likelihood of the observations": logLikelihood(u),
    });
    return {
      ...prior,
      terms,
      logDensity: (u) => Object.values(terms(u)).reduce((sum, term) => sum.add(term)),
    };
  }
}

/**
 * Neural likelihood estimation (Papamakarios, Sterratt and Murray 2019): fits a conditional flow q(x | u) to the data x that the simulator
 * returns for coordinates u of the prior, by maximum likelihood. Each posterior then takes Markov chains (`infer`), but may be conditional on
 * several independent observations. The data must have a density: use `fitPosterior` for counts.
 *
 * @throws ARGUMENT when an option is not valid; MODEL as `simulate` does; DATA when a simulation returned NaN or infinite values; INTERRUPTED
 *   when `signal` is aborted.
 */
export async function fitLikelihood<P extends Priors>(
  simulator: Simulator<P>,
  options: FitLikelihoodOptions = {},
): Promise<SimulationLikelihood<P>> {
  checkOptions("fitLikelihood", options, { ...conditionalDensityRules, simulations: simulationsRule });
  const { simulations = 10_000, ...fitOptions } = options;
  const { seed = 0, signal } = fitOptions;
  const { coordinates, data, width, invalid, count } =
    typeof simulations === "number" ? await simulate(simulator, simulations, { seed, signal }) : simulations;
  if (invalid > 0) {
    throw new PushforwardError("DATA", "a likelihood cannot be fitted to simulations that failed", {
      expected: "finite values in all simulations",
      received: `${invalid} of ${invalid + count} simulations with NaN or infinite values`,
      hint: "Use fitPosterior, or return finite values for such simulations.",
    });
  }
  const rows = dataset(data, { features: width, context: coordinates });
  const { flow, validationLogDensity } = await fitConditionalDensity(rows, fitOptions);
  return new SimulationLikelihood(simulator, flow, validationLogDensity);
}
