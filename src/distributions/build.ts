import type * as z from "zod/mini";
import { type Description, type DescriptionOf, registry } from "../description.ts";
import type { Distribution } from "./distribution.ts";
import { distributionKinds } from "./registry.ts";

/** A distribution as plain data, which `buildDistribution` builds. */
export type DistributionDescription = DescriptionOf<typeof distributionKinds>;

const { schema, build, types } = registry<Distribution>(distributionKinds, "a distribution", "distribution");

export const distributionSchema = schema as z.ZodMiniType<DistributionDescription, Description>;

/**
 * Builds a distribution from its description. `random` draws the initial parameters.
 *
 * Throws `MODEL`, with the path of the field, if the description is invalid.
 */
export const buildDistribution = build;

/** The types of all registered distributions. */
export const distributionTypes = types;
