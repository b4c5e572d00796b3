import { brief, PushforwardError } from "../check/index.ts";
import { Mixture, type MixtureOptions } from "../distributions/index.ts";
import { checkFlow } from "./checkParts.ts";
import { Flow } from "./flow.ts";

/**
 * A mixture of flows (Pires and Figueiredo 2020). With fixed weights it is an ensemble, whose density is the mean of the
 * densities. Throws `SHAPE` for flows with different numbers of features or context features.
 *
 * The mixture shares all parameters with the flows, so training the mixture changes the flows. Each flow keeps its
 * standardization. The mixture applies the standardization of the first flow in float64, and its graph contains the composition
 * of each other standardization with the inverse of the first, so that columns far from 0 lose no precision.
 */
export function mixtureFlow(flows: readonly Flow[], options: MixtureOptions = {}): Flow {
  if (!Array.isArray(flows)) {
    throw new PushforwardError("ARGUMENT", "the argument of mixtureFlow is not an array of flows", {
      received: brief(flows),
    });
  }
  for (const flow of flows) checkFlow("mixtureFlow", flow);
  const parts = flows.map((flow) => (flow.bijection.isIdentity && !flow.embedding ? flow.base : flow));
  return new Flow(new Mixture(parts, options));
}
