import { PushforwardError } from "../check/index.ts";
import type { ContextEmbedding } from "../distributions/index.ts";
import { checkFlow } from "./checkParts.ts";
import { Flow } from "./flow.ts";

/**
 * Returns a conditional flow whose context goes through an embedding, which its base and its bijection share. The context of the
 * new flow is the input of the embedding. Throws `SHAPE` unless the context of `flow` has the size of the output of the
 * embedding, and `ARGUMENT` if the flow has an embedding already.
 */
export function embedContext(flow: Flow, embedding: ContextEmbedding): Flow {
  checkFlow("embedContext", flow);
  if (flow.embedding) {
    throw new PushforwardError("ARGUMENT", "the flow already has an embedding of its context", {
      hint: "Use one embedding for all columns of the context.",
    });
  }
  return new Flow(flow.base, flow.bijection, embedding);
}
