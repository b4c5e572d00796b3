import type * as z from "zod/mini";
import { type Description, type DescriptionOf, KindRegistry } from "../parts/index.ts";
import { coreDistributionKinds } from "./coreKinds.ts";
import type { Distribution } from "./distribution.ts";
import type { distributionKinds } from "./registry.ts";

/** A distribution as plain data, which `buildDistribution` builds. */
export type DistributionDescription = DescriptionOf<typeof distributionKinds>;

/**
 * The registry of distributions. It starts with the kinds of coreKinds.ts; `registerAllKinds` adds the other kinds of
 * registry.ts.
 */
export const distributionRegistry = new KindRegistry<Distribution>(
  coreDistributionKinds,
  "a distribution",
  "distribution",
);

export const distributionSchema = distributionRegistry.schema as z.ZodMiniType<
  DistributionDescription,
  Description
>;
