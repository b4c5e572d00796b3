import { Identity } from "../bijections/identity.ts";
import { Mixture, type WeightOptions } from "../distributions/mixture.ts";
import { Flow } from "./flow.ts";

/**
 * A mixture of flows (Pires and Figueiredo 2020), or with weights that are not learned an ensemble, whose density is the
 * average of theirs. Each keeps its own standardization. Throws `SHAPE` for flows that do not fit each other.
 */
export function mixture(flows: readonly Flow[], options: WeightOptions = {}): Flow {
  const parts = flows.map(({ base, bijection, embedding, distribution }) =>
    bijection instanceof Identity && !embedding ? base : distribution,
  );
  return new Flow(new Mixture(parts, options));
}
