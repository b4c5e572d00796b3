import type { Flow } from "../../flows/flow.ts";
import { checkOptions, seedValue } from "../../options.ts";
import type { EngineOptions } from "../../runtime/engineOptions.ts";
import { engineRules } from "../../runtime/options.ts";
import { constrainedDraws, type Draws } from "../draws.ts";
import { checkedObservation } from "./observation.ts";
import type { Simulations } from "./simulate.ts";
import type { Priors, Simulator } from "./simulator.ts";

/** The parts of a `SimulationPosterior`. */
interface PosteriorParts<P extends Priors> {
  readonly simulator: Simulator<P>;
  readonly simulations: Simulations;
  readonly flow: Flow;
  readonly validationLogDensity: number;
}

/** Posteriors of the parameters of a simulator: q(theta | x), as a conditional flow that was fitted to simulations. */
export class SimulationPosterior<P extends Priors = Priors> {
  readonly simulator: Simulator<P>;
  /** The simulations to which the flow was fitted. */
  readonly simulations: Simulations;
  /** q(u | x): the density of the coordinates of the parameters, with the data as context. */
  readonly flow: Flow;
  /** Mean log-density of the coordinates of held-out simulations, in nats. */
  readonly validationLogDensity: number;

  constructor({ simulator, simulations, flow, validationLogDensity }: PosteriorParts<P>) {
    this.simulator = simulator;
    this.simulations = simulations;
    this.flow = flow;
    this.validationLogDensity = validationLogDensity;
  }

  /**
   * n independent draws of each parameter for an observation, [n, ...shape]. They lie in the support of the prior.
   *
   * @throws SHAPE when the observation has a different number of values from a simulation; DATA when a value is not finite; ARGUMENT when n
   *   is not an integer from 0, or an option is not valid.
   */
  async sample(
    observed: ArrayLike<number>,
    n: number,
    options: EngineOptions & { seed?: number } = {},
  ): Promise<Draws<P>> {
    checkOptions("sample", options, { ...engineRules, seed: seedValue });
    const context = checkedObservation(observed, this.flow.context);
    const coordinates = await this.flow.sample(n, { ...options, context });
    return constrainedDraws(this.simulator.prior, coordinates, options);
  }
}
