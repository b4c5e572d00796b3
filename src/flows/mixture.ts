import { Mixture, type MixtureOptions } from "../distributions/mixture.ts";
import { PushforwardError } from "../errors.ts";
import { brief } from "../parse.ts";
import { checkFlow } from "./checkParts.ts";
import { Flow } from "./flow.ts";

/**
 * A mixture of flows (Pires and Figueiredo 2020), or with weights that are not learned an ensemble, whose density is the
 * average of theirs. Throws `SHAPE` for flows that do not fit each other.
 *
 * The mixture shares all parameters with the flows, which training it therefore changes. Each keeps its own standardization; the
 * mixture computes with that of the first in float64 and with the differences of the others to it in the graph, so columns far
 * from 0 lose nothing.
 */
export function mixtureFlow(flows: readonly Flow[], options: MixtureOptions = {}): Flow {
  if (!Array.isArray(flows)) {
    throw new PushforwardError("ARGUMENT", "mixtureFlow takes a list of flows", { received: brief(flows) });
  }
  for (const flow of flows) checkFlow("mixtureFlow", flow);
  const parts = flows.map((flow) => (flow.bijection.isIdentity && !flow.embedding ? flow.base : flow));
  return new Flow(new Mixture(parts, options));
}
