import * as z from "zod/mini";
import { Uniform } from "../../distributions/uniform.ts";
import type { Flow } from "../flow.ts";
import { autoregressive } from "./autoregressive.ts";
import { couplings } from "./coupling.ts";
import type { RecipeOptions } from "./layers.ts";
import { checkedByPart, type Fields, recipeCheck, recipeFields } from "./options.ts";

export interface NSFOptions extends RecipeOptions {
  /** Default `autoregressive`. */
  kind?: "coupling" | "autoregressive";
  /** Number of bins. Default 8. */
  bins?: number;
  /** The spline lives on [-bound, bound]. Default 5. */
  bound?: number;
}

const ncsfFields = {
  ...recipeFields,
  kind: z.enum(["coupling", "autoregressive"]),
  bins: checkedByPart,
} satisfies Fields<Omit<NSFOptions, "bound">>;
const nsfFields = { ...ncsfFields, bound: checkedByPart } satisfies Fields<NSFOptions>;

const checkNsf = recipeCheck("nsf", nsfFields);
const checkNcsf = recipeCheck("ncsf", ncsfFields);

/** Neural spline flow: rational-quadratic splines, autoregressive or in couplings (Durkan et al. 2019). */
export function nsf(features: number, options: NSFOptions = {}): Flow {
  checkNsf(features, options);
  const { kind = "autoregressive", bins = 8, bound = 5, ...rest } = options;
  const transform = { type: "rationalQuadraticSpline", bins, bound } as const;
  return kind === "coupling"
    ? couplings(features, transform, rest)
    : autoregressive(features, transform, rest);
}

/**
 * Neural circular spline flow for angles in [-pi, pi), autoregressive or in couplings, over a uniform base (Rezende et al. 2020):
 * a density on the torus, of period 2 pi in each feature.
 */
export function ncsf(features: number, options: Omit<NSFOptions, "bound"> = {}): Flow {
  checkNcsf(features, options);
  const { kind = "autoregressive", bins = 8, ...rest } = options;
  const transform = { type: "circularSpline", bins } as const;
  const all = { base: new Uniform({ features, low: -Math.PI, high: Math.PI }), ...rest };
  return kind === "coupling" ? couplings(features, transform, all) : autoregressive(features, transform, all);
}
