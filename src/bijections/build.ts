import type * as z from "zod/mini";
import { type Description, type DescriptionOf, KindRegistry } from "../parts/index.ts";
import type { Bijection } from "./bijection.ts";
import { coreBijectionKinds } from "./coreKinds.ts";
import type { bijectionKinds } from "./registry.ts";

/** The description of any registered bijection. */
export type BijectionDescription = DescriptionOf<typeof bijectionKinds>;

/**
 * The registry of bijections. It starts with the kinds of coreKinds.ts; `registerAllKinds` adds the other kinds of registry.ts.
 */
export const bijectionRegistry = new KindRegistry<Bijection>(coreBijectionKinds, "a bijection", "bijection");

/** Checks descriptions of bijections, including custom kinds inside `withCustomKinds`. */
export const bijectionSchema = bijectionRegistry.schema as z.ZodMiniType<BijectionDescription, Description>;
