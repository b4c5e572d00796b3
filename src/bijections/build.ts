import type * as z from "zod/mini";
import { type Description, type DescriptionOf, registry } from "../description.ts";
import type { Bijection } from "./bijection.ts";
import { bijectionKinds } from "./registry.ts";

/** The description of any registered bijection. */
export type BijectionDescription = DescriptionOf<typeof bijectionKinds>;

const { schema, build, types } = registry<Bijection>(bijectionKinds, "a bijection", "bijection");

/** Checks descriptions of bijections, including custom kinds inside `withCustomKinds`. */
export const bijectionSchema = schema as z.ZodMiniType<BijectionDescription, Description>;

/**
 * Builds a bijection from its description; `random` draws the initial weights.
 *
 * Throws `MODEL` with the path of the field if the description is not valid.
 */
export const buildBijection = build;

/** The types of all registered bijections. */
export const bijectionTypes = types;
