import { checkOptions, PushforwardError, seedValue } from "../../check/index.ts";
import type { Flow } from "../../flows/index.ts";
import { type EngineOptions, engineRules } from "../../runtime/index.ts";
import { constrainedDraws, type Draws } from "../draws.ts";
import { checkedObservation } from "./observation.ts";
import { type ParameterValues, priorCoordinates } from "./priorCoordinates.ts";
import type { Simulations } from "./simulate.ts";
import type { Priors, Simulator } from "./simulator.ts";

/** The parts of a `SimulationPosterior`. */
interface PosteriorParts<P extends Priors> {
  readonly simulator: Simulator<P>;
  readonly flow: Flow;
  /** Default none: neither `sample` nor `logProb` needs them. */
  readonly simulations?: Simulations;
  /** Default NaN: unknown. */
  readonly validationLogDensity?: number;
}

/**
 * Posteriors of the parameters of a simulator: q(theta | x), as a conditional flow that was fitted to simulations. `fitPosterior` returns one;
 * with the simulator and the flow, for example from a model file, the constructor creates it again.
 */
export class SimulationPosterior<P extends Priors = Priors> {
  readonly simulator: Simulator<P>;
  /** q(u | x): the density of the coordinates of the parameters, with the data as context. */
  readonly flow: Flow;
  /** Mean log-density of the coordinates of held-out simulations, in nats. */
  readonly validationLogDensity: number;
  readonly #simulations: Simulations | undefined;

  /** Throws `SHAPE` unless the flow has a feature for each coordinate of the prior, and a context for the data. */
  constructor({ simulator, flow, simulations, validationLogDensity = Number.NaN }: PosteriorParts<P>) {
    const { features } = simulator.prior;
    if (flow.features !== features || flow.context === 0) {
      throw new PushforwardError("SHAPE", "the flow is not a posterior of this simulator", {
        expected: `${features} features, one for each coordinate of the prior, and a context`,
        received: `${flow.features} features and ${flow.context} context features`,
      });
    }
    this.simulator = simulator;
    this.flow = flow;
    this.#simulations = simulations;
    this.validationLogDensity = validationLogDensity;
  }

  /** The simulations to which the flow was fitted. Throws `ARGUMENT` if the posterior was created without them. */
  get simulations(): Simulations {
    if (this.#simulations) return this.#simulations;
    throw new PushforwardError("ARGUMENT", "this posterior was created without simulations", {
      hint: "simulate(posterior.simulator, 1000) draws new ones.",
    });
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

  /**
   * log q(theta | x) in nats for an observation and n values of each parameter, such as draws: the log-density of the parameters themselves,
   * [n]. It is -Infinity outside the support of the prior, and at its bounds.
   *
   * @throws SHAPE when the observation has a different number of values from a simulation, or the parameters do not all have n values; DATA
   *   when a value is not a number; ARGUMENT for other names than those of the parameters, and when an option is not valid.
   */
  async logProb(
    observed: ArrayLike<number>,
    values: ParameterValues<P>,
    options: EngineOptions = {},
  ): Promise<Float64Array> {
    checkOptions("logProb", options, engineRules);
    const context = checkedObservation(observed, this.flow.context);
    const { coordinates, logDet } = await priorCoordinates(this.simulator, values, options);
    const { features } = this.flow;
    const rowOf = (i: number) => coordinates.subarray(i * features, (i + 1) * features);
    const inside = Int32Array.from(logDet.keys()).filter((i) => rowOf(i).every(Number.isFinite));
    const result = new Float64Array(logDet.length).fill(Number.NEGATIVE_INFINITY);
    const rows = new Float64Array(inside.length * features);
    inside.forEach((i, k) => {
      rows.set(rowOf(i), k * features);
    });
    const logProbs = await this.flow.logProb(rows, context, options);
    inside.forEach((i, k) => {
      result[i] = logProbs[k] - logDet[i];
    });
    return result;
  }
}
