import { brief, PushforwardError } from "../../check/index.ts";
import { StandardNormal } from "../../distributions/index.ts";
import type { RandomStream } from "../../random/index.ts";
import { model, type ProbabilisticModel } from "../model.ts";
import type { Prior } from "../prior.ts";

/** The priors of the parameters of a simulator by name. */
export type Priors = Readonly<Record<string, Prior>>;

/** The values of the parameters in one simulation. */
export type SimulatedParameters<P extends Priors> = {
  readonly [Name in keyof P]: P[Name] extends Prior<infer Value> ? Value : never;
};

/** Parameters with their priors, and a program that simulates data for them. */
export interface Simulator<P extends Priors = Priors> {
  readonly parameters: P;
  /** The prior as a density of the coordinates: a standard normal distribution. */
  readonly prior: ProbabilisticModel<P>;
  /** Returns the data of one simulation for values of the parameters. The number of its values is always the same. */
  simulate(
    parameters: SimulatedParameters<P>,
    random: RandomStream,
  ): ArrayLike<number> | Promise<ArrayLike<number>>;
}

/**
 * Declares a simulator: parameters with their priors, and a function that draws data for them.
 *
 *     const gauss = simulator({ mu: prior.normal(0, 5), sd: prior.halfNormal(2) }, ({ mu, sd }, random) =>
 *       random.normal(10).map((noise) => mu + sd * noise),
 *     );
 *
 * `random` has `uniform()` and `normal()`, which return new numbers in each call and depend on a seed.
 *
 * @throws ARGUMENT when a parameter has no prior.
 */
export function simulator<const P extends Priors>(
  parameters: P,
  simulate: Simulator<P>["simulate"],
): Simulator<P> {
  for (const [name, each] of Object.entries(parameters)) {
    if (typeof each?.toValue === "function") continue;
    throw new PushforwardError("ARGUMENT", `parameter ${name} of the simulator has no prior`, {
      expected: "prior.uniform(0, 1), vector(2, prior.normal(0, 1)) or the like",
      received: typeof each === "object" ? "a constraint" : brief(each),
    });
  }
  const { constrain, features } = model(parameters, () => []);
  const standardNormal = new StandardNormal({ features });
  const prior: ProbabilisticModel<P> = {
    parameters,
    features,
    constrain,
    logDensity: (u) => standardNormal.logProb(u),
    terms: (u) => ({ "the log-density of the prior": standardNormal.logProb(u) }),
  };
  return { parameters, prior, simulate };
}
