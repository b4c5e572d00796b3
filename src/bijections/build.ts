import type * as z from "zod/mini";
import { type Description, type DescriptionOf, registry } from "../description.ts";
import type { Bijection } from "./bijection.ts";
import { bijectionKinds } from "./registry.ts";

export type BijectionDescription = DescriptionOf<typeof bijectionKinds>;

const { schema, build, types } = registry<Bijection>(bijectionKinds, "a bijection", "bijection");

export const bijectionSchema = schema as z.ZodMiniType<BijectionDescription, Description>;

/**
 * Makes a bijection from its description; `random` gives the starting weights.
 *
 * Throws `MODEL` if the description does not fit, with the path of the field.
 */
export const buildBijection = build;

/** The types of all registered bijections. */
export const bijectionTypes = types;
