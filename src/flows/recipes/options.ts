import * as z from "zod/mini";
import { parse } from "../../check/index.ts";
import type { Distribution } from "../../distributions/index.ts";
import { activationSchema, variantCountSchema } from "../../nn/index.ts";
import { countSchema, MAX_LAYERS, sizeSchema } from "../../parts/index.ts";
import { hasMethods } from "../checkParts.ts";

/** A schema for each option of a recipe. The type ensures that none is missing. */
export type OptionSchemas<Options> = Readonly<Record<keyof Options, z.ZodMiniType>>;

/** The schema of an option that the constructor of a bijection or a distribution checks. */
export const checkedByConstructor = z.unknown();

const seed = z.int().check(z.nonnegative());
const base = z.custom<Distribution>((value) => hasMethods(value, ["logProb", "sample"]), {
  error: "a distribution",
});

export const networkSchemas = {
  hidden: z.array(sizeSchema).check(z.maxLength(MAX_LAYERS)),
  activation: activationSchema,
  residual: z.boolean(),
};

/** The schemas of `LayerRecipeOptions`. */
export const layerSchemas = {
  context: countSchema,
  transforms: sizeSchema.check(z.maximum(MAX_LAYERS)),
  base,
  seed,
};

export const recipeSchemas = {
  ...networkSchemas,
  ...layerSchemas,
  ordering: z.enum(["alternating", "random"]),
  orders: variantCountSchema,
  ensemble: z.boolean(),
  batchNorm: z.boolean(),
};

/**
 * Returns the function that checks the arguments of a recipe. It throws `ARGUMENT` for a number of features that is not a positive
 * integer, for an unknown option, with the most similar known one, and for a value that is not valid.
 */
export function optionChecker(name: string, fields: Readonly<Record<string, z.ZodMiniType>>) {
  const schema = z.partial(z.strictObject(fields));
  return (features: number, options: object): void => {
    parse(sizeSchema, features, `the number of features of ${name}`);
    parse(schema, options, `an option of ${name}`);
  };
}
