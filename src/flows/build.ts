import { z } from "zod";
import { bijectionSchema, buildBijection } from "../bijections/build.ts";
import { buildDistribution, distributionSchema } from "../distributions/build.ts";
import { ContextEmbedding, contextEmbeddingSchema } from "../distributions/contextEmbedding.ts";
import { parse } from "../parse.ts";
import { Random } from "../random/index.ts";
import { Flow } from "./flow.ts";

export const flowSchema = z.strictObject({
  /** A flow is a transformed distribution, and may be described as any distribution is. */
  type: z.literal("transformedDistribution").optional(),
  base: distributionSchema,
  bijection: bijectionSchema,
  embedding: contextEmbeddingSchema.optional(),
});

/** A flow as plain data: what a model file holds beside the parameters. */
export type FlowDescription = z.input<typeof flowSchema>;

/**
 * Makes a flow from its description, with starting weights drawn from `seed`.
 *
 * Throws `MODEL` if the description does not fit, with the path of the field.
 */
export function buildFlow(description: FlowDescription, seed: number | bigint = 0): Flow {
  const { base, bijection, embedding } = parse(flowSchema, description, "a flow", "MODEL");
  const random = new Random(seed).split("flow");
  return new Flow(
    buildDistribution(base, random.split("base")),
    buildBijection(bijection, random.split("bijection")),
    embedding && new ContextEmbedding(embedding, random.split("embedding")),
  );
}
