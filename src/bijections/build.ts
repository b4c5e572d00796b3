import type { z } from "zod";
import { type Description, type DescriptionOf, registry } from "../description.ts";
import type { Bijection } from "./bijection.ts";
import { bijectionKinds } from "./registry.ts";

export type BijectionDescription = DescriptionOf<typeof bijectionKinds>;

const { schema, build, about } = registry<Bijection>(bijectionKinds, "a bijection");

export const bijectionSchema = schema as z.ZodType<BijectionDescription, Description>;

/**
 * Makes a bijection from its description; `random` gives the starting weights.
 *
 * Throws `MODEL` if the description does not fit, with the path of the field.
 */
export const buildBijection = build;

/** Where the data side of a bijection lies, in words, if it is not everything. */
export const supportOf = (bijection: Bijection): string | undefined =>
  about(bijection.describe().type)?.support;
