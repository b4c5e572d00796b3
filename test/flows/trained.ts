import type { Flow } from "../../src/flows/index.ts";
import { perturb } from "../nn/perturb.ts";

/** Returns the flow after it has added noise to its parameters, as if it were trained. */
export function trained<F extends Flow>(flow: F, scale = 0.3): F {
  perturb(flow.parameters(), scale);
  return flow;
}
