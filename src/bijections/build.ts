import { z } from "zod";
import type { Random } from "../random/index.ts";
import { Actnorm, actnormSchema } from "./actnorm.ts";
import { Autoregressive, autoregressiveSchema } from "./autoregressive.ts";
import type { Bijection } from "./bijection.ts";
import { Chain } from "./chain.ts";
import { Coupling, couplingSchema } from "./coupling.ts";
import { Invert } from "./invert.ts";
import { LULinear, luLinearSchema } from "./luLinear.ts";
import { Permutation, permutationSchema } from "./permutation.ts";
import { Standardize, standardizeSchema } from "./standardize.ts";
import { Tails, tailsSchema } from "./tails.ts";

const chainSchema = z.strictObject({
  type: z.literal("chain"),
  get bijections(): z.ZodArray<z.ZodType<BijectionDescription>> {
    return z.array(bijectionSchema).min(1);
  },
});

const invertSchema = z.strictObject({
  type: z.literal("invert"),
  get bijection(): z.ZodType<BijectionDescription> {
    return bijectionSchema;
  },
});

export type BijectionDescription =
  | z.output<typeof actnormSchema>
  | z.output<typeof autoregressiveSchema>
  | z.output<typeof couplingSchema>
  | z.output<typeof luLinearSchema>
  | z.output<typeof permutationSchema>
  | z.output<typeof standardizeSchema>
  | z.output<typeof tailsSchema>
  | { type: "chain"; bijections: BijectionDescription[] }
  | { type: "invert"; bijection: BijectionDescription };

/** Every bijection that a model file may hold. */
export const bijectionSchema: z.ZodType<BijectionDescription> = z.lazy(() =>
  z.discriminatedUnion("type", [
    actnormSchema,
    autoregressiveSchema,
    chainSchema,
    couplingSchema,
    invertSchema,
    luLinearSchema,
    permutationSchema,
    standardizeSchema,
    tailsSchema,
  ]),
);

/** Makes a bijection from its description; `random` gives the starting weights. */
export function buildBijection(description: BijectionDescription, random: Random): Bijection {
  switch (description.type) {
    case "actnorm":
      return new Actnorm(description);
    case "autoregressive": {
      const { type: _, ...options } = description;
      return new Autoregressive(options, random);
    }
    case "chain":
      return new Chain(description.bijections.map((d, i) => buildBijection(d, random.split(i))));
    case "coupling": {
      const { type: _, ...options } = description;
      return new Coupling(options, random);
    }
    case "invert":
      return new Invert(buildBijection(description.bijection, random));
    case "luLinear":
      return new LULinear(description);
    case "permutation":
      return new Permutation(description);
    case "standardize":
      return new Standardize(description);
    case "tails":
      return new Tails({ features: description.features, start: description.start });
  }
}
