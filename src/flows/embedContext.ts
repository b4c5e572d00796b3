import type { ContextEmbedding } from "../distributions/contextEmbedding.ts";
import { PushforwardError } from "../errors.ts";
import { checkFlow } from "./checkParts.ts";
import { Flow } from "./flow.ts";

/**
 * The conditional flow with an embedding before its context, which its base and its bijection share: it takes the columns
 * that the embedding takes. Throws `SHAPE` if the flow is not conditional on what the embedding gives, `ARGUMENT` if it has
 * an embedding already.
 */
export function embedContext(flow: Flow, embedding: ContextEmbedding): Flow {
  checkFlow("embedContext", flow);
  if (flow.embedding) {
    throw new PushforwardError("ARGUMENT", "the context of this flow has an embedding already", {
      hint: "Make one embedding of all columns.",
    });
  }
  return new Flow(flow.base, flow.bijection, embedding);
}
