import * as z from "zod/mini";
import { scalarTransformRegistry } from "../../bijections/scalar/build.ts";
import { circularSplineKind } from "../../bijections/scalar/circularSpline.ts";
import { Uniform } from "../../distributions/uniform.ts";
import type { Flow } from "../flow.ts";
import { autoregressive } from "./autoregressive.ts";
import { couplings } from "./coupling.ts";
import type { RecipeOptions } from "./layers.ts";
import { checkedByConstructor, type OptionSchemas, optionChecker, recipeSchemas } from "./options.ts";

/** Options of `nsf` and `ncsf`. */
export interface NSFOptions extends RecipeOptions {
  /** The layers. Default `autoregressive`. */
  kind?: "coupling" | "autoregressive";
  /** Number of bins. Default 8. */
  bins?: number;
  /** The spline is defined on [-bound, bound]; outside it is linear. Default 5. */
  bound?: number;
}

const ncsfSchemas = {
  ...recipeSchemas,
  kind: z.enum(["coupling", "autoregressive"]),
  bins: checkedByConstructor,
} satisfies OptionSchemas<Omit<NSFOptions, "bound">>;
const nsfSchemas = { ...ncsfSchemas, bound: checkedByConstructor } satisfies OptionSchemas<NSFOptions>;

const checkNsf = optionChecker("nsf", nsfSchemas);
const checkNcsf = optionChecker("ncsf", ncsfSchemas);

/** Neural spline flow (Durkan et al. 2019): rational-quadratic splines in autoregressive layers or in couplings. */
export function nsf(features: number, options: NSFOptions = {}): Flow {
  checkNsf(features, options);
  const { kind = "autoregressive", bins = 8, bound = 5, ...rest } = options;
  const transform = { type: "rationalQuadraticSpline", bins, bound } as const;
  return kind === "coupling"
    ? couplings(features, transform, rest)
    : autoregressive(features, transform, rest);
}

/**
 * Neural circular spline flow (Rezende et al. 2020) for angles in [-pi, pi): a density on the torus, with period 2 pi in each
 * feature. It has autoregressive layers or couplings, and a uniform base.
 */
export function ncsf(features: number, options: Omit<NSFOptions, "bound"> = {}): Flow {
  checkNcsf(features, options);
  const { kind = "autoregressive", bins = 8, ...rest } = options;
  scalarTransformRegistry.add([circularSplineKind]);
  const transform = { type: "circularSpline", bins } as const;
  const circularOptions = { base: new Uniform({ features, low: -Math.PI, high: Math.PI }), ...rest };
  return kind === "coupling"
    ? couplings(features, transform, circularOptions)
    : autoregressive(features, transform, circularOptions);
}
