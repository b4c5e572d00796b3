import * as z from "zod/mini";
import { bijectionRegistry, bijectionSchema } from "../bijections/index.ts";
import { anyValue, type OptionRules, parse } from "../check/index.ts";
import {
  ContextEmbedding,
  type ContextEmbeddingOptions,
  type CustomKind,
  contextEmbeddingSchema,
  distributionRegistry,
  distributionSchema,
  withCustomKinds,
} from "../distributions/index.ts";
import type { Description } from "../parts/index.ts";
import { Random } from "../random/index.ts";
import { Flow } from "./flow.ts";

export const flowSchema = z.strictObject({
  type: z.optional(z.literal("transformedDistribution")),
  base: distributionSchema,
  bijection: bijectionSchema,
  embedding: z.optional(contextEmbeddingSchema),
});

/** A flow as plain data, from which `buildFlow` builds it, except for the values of its parameters. */
export interface FlowDescription {
  /** May be left out. With it, the description of a flow is also the description of a distribution. */
  type?: "transformedDistribution";
  /** The type of the base distribution, and its options. */
  base: Description;
  /** The type of the bijection, and its options. */
  bijection: Description;
  /** The embedding of the context of a conditional flow. Default none. */
  embedding?: ContextEmbeddingOptions | undefined;
}

/** The custom kinds that a description may use. */
export interface KindOptions {
  /** How custom classes are built from their descriptions. Default none. */
  kinds?: readonly CustomKind[] | undefined;
}

/** `withCustomKinds` checks the kinds. */
export const kindRules: OptionRules<KindOptions> = { kinds: anyValue };

/**
 * Builds a flow from a description of registered or custom kinds, with initial weights drawn from `seed`.
 *
 * Throws `MODEL` if the description is not valid, with the path of the field; `ARGUMENT` for kinds that are not valid.
 */
export function buildRegisteredFlow(
  description: FlowDescription,
  kinds: readonly CustomKind[],
  seed: number | bigint,
): Flow {
  return withCustomKinds(kinds, () => {
    const { base, bijection, embedding } = parse(flowSchema, description, "a flow", "MODEL");
    const random = new Random(seed).split("flow");
    return new Flow(
      distributionRegistry.build(base, random.split("base")),
      bijectionRegistry.build(bijection, random.split("bijection")),
      embedding && new ContextEmbedding(embedding, random.split("embedding")),
    );
  });
}
