import type * as z from "zod/mini";
import { type Description, type DescriptionOf, registry } from "../description.ts";
import type { Distribution } from "./distribution.ts";
import { distributionKinds } from "./registry.ts";

export type DistributionDescription = DescriptionOf<typeof distributionKinds>;

const { schema, build, types } = registry<Distribution>(distributionKinds, "a distribution", "distribution");

export const distributionSchema = schema as z.ZodMiniType<DistributionDescription, Description>;

/**
 * Makes a distribution from its description; `random` gives the starting parameters.
 *
 * Throws `MODEL` if the description does not fit, with the path of the field.
 */
export const buildDistribution = build;

/** The types of all registered distributions. */
export const distributionTypes = types;
