import { StandardNormal } from "../../../src/distributions/standardNormal.ts";
import { Flow } from "../../../src/flows/flow.ts";
import { nsf } from "../../../src/flows/recipes/spline.ts";
import { prior, SimulationPosterior, simulate, simulator } from "../../../src/inference/index.ts";

/** Two measurements of a normal mu ~ N(0, 1) with this standard deviation: mu | x ~ N(sum x / (2 + sd^2), sd^2 / (2 + sd^2)). */
export const measurements = (sd: number) =>
  simulator({ mu: prior.normal(0, 1) }, ({ mu }, random) => random.normal(2).map((noise) => mu + sd * noise));

/** The mean and the standard deviation of the posterior. */
export const exactPosterior = (sd: number, observed: readonly number[]) => ({
  mean: observed.reduce((a, b) => a + b) / (observed.length + sd ** 2),
  sd: sd / Math.sqrt(observed.length + sd ** 2),
});

/** The prior as a posterior: its flow is the identity, and ignores the data. */
export async function priorAsPosterior(sd: number) {
  const { bijection } = nsf(1, { context: 2, transforms: 1 });
  const flow = new Flow(new StandardNormal({ features: 1 }), bijection);
  const ofSimulator = measurements(sd);
  const simulations = await simulate(ofSimulator, 10);
  return new SimulationPosterior({ simulator: ofSimulator, simulations, flow, validationLogDensity: 0 });
}
