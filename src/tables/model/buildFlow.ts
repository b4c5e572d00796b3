import * as z from "zod/mini";
import { parse } from "../../check/index.ts";
import type { CustomKind } from "../../distributions/index.ts";
import { buildRegisteredFlow, type Flow, type FlowDescription, type KindOptions } from "../../flows/index.ts";
import { registerTableDensities } from "../densities/index.ts";

const optionsSchema = z.strictObject({
  seed: z._default(z.union([z.int(), z.bigint()]), 0),
  kinds: z._default(z.array(z.custom<CustomKind>()), []),
});

/** Options of `buildFlow`. */
export interface BuildFlowOptions extends KindOptions {
  /** Seed of the initial weights. Default 0. */
  seed?: number | bigint | undefined;
}

/**
 * Builds a flow from its description, with initial weights drawn from `seed`.
 *
 * Throws `MODEL` if the description is not valid, with the path of the field; `ARGUMENT` for kinds that are not valid.
 */
export function buildFlow(description: FlowDescription, options: BuildFlowOptions = {}): Flow {
  const { seed, kinds } = parse(optionsSchema, options, "an option of buildFlow");
  registerTableDensities();
  return buildRegisteredFlow(description, kinds, seed);
}
