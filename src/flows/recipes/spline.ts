import * as z from "zod/mini";
import { circularSplineKind, scalarTransformRegistry } from "../../bijections/index.ts";
import { Uniform } from "../../distributions/index.ts";
import type { Flow } from "../flow.ts";
import { autoregressive } from "./autoregressive.ts";
import { couplings } from "./coupling.ts";
import type { RecipeOptions } from "./layers.ts";
import { checkedByConstructor, type OptionSchemas, optionChecker, recipeSchemas } from "./options.ts";

/** Options of `nsf` and `ncsf`. */
export interface NSFOptions extends RecipeOptions {
  /** The kind of the layers. Default `autoregressive`. */
  kind?: "coupling" | "autoregressive" | undefined;
  /** Number of bins, at least 2 and at most 1024. Default 8. */
  bins?: number | undefined;
  /** The spline is defined on [-bound, bound]; outside it is the identity. Default 5. */
  bound?: number | undefined;
}

// A circular flow has no bound, and a batch normalization would map the circle onto an interval of another length.
type NCSFOptions = Omit<NSFOptions, "batchNorm" | "bound">;

const nsfSchemas = {
  ...recipeSchemas,
  kind: z.enum(["coupling", "autoregressive"]),
  bins: checkedByConstructor,
  bound: checkedByConstructor,
} satisfies OptionSchemas<NSFOptions>;
const { batchNorm, bound, ...ncsfSchemas } = nsfSchemas;

const checkNsf = optionChecker("nsf", nsfSchemas);
const checkNcsf = optionChecker("ncsf", ncsfSchemas);

/**
 * Neural spline flow (Durkan et al. 2019, "Neural spline flows") of rows [N, D], where D is `features`. Each layer maps features by
 * z_i = T(x_i; theta_i), where T is a monotonic rational-quadratic spline on [-bound, bound] and the identity outside. With the kind
 * `autoregressive` a masked network computes theta_i from x_1 ... x_i-1; with `coupling` a network computes it from the features that the
 * layer leaves unchanged. Both also read the context.
 *
 * @throws ARGUMENT if `features` is not a positive integer, if an option is not valid, such as `bins` below 2 or above 1024, or for
 *   couplings of one feature without a context; SHAPE if `base` and the layers differ in features or context.
 */
export function nsf(features: number, options: NSFOptions = {}): Flow {
  checkNsf(features, options);
  const { kind = "autoregressive", bins = 8, bound = 5, ...rest } = options;
  const transform = { type: "rationalQuadraticSpline", bins, bound } as const;
  return kind === "coupling"
    ? couplings(features, transform, rest)
    : autoregressive(features, transform, rest);
}

/**
 * Neural circular spline flow (Rezende et al. 2020, "Normalizing flows on tori and spheres") for angles [N, D] in [-pi, pi): a density on
 * the torus, with period 2 pi in each feature. Each layer maps features by z_i = wrap(T(x_i; theta_i) + phi_i), where T is a
 * rational-quadratic spline with equal slopes at -pi and pi, and wrap adds a multiple of 2 pi. As in `nsf`, a network of an autoregressive
 * layer or of a coupling computes theta_i and phi_i. The base is by default uniform on [-pi, pi]. The options are those of `nsf` without
 * `batchNorm` and `bound`.
 *
 * @throws ARGUMENT if `features` is not a positive integer, if an option is not valid, such as `bins` below 2 or above 1024, or for
 *   couplings of one feature without a context; SHAPE if `base` and the layers differ in features or context.
 */
export function ncsf(features: number, options: NCSFOptions = {}): Flow {
  checkNcsf(features, options);
  const { kind = "autoregressive", bins = 8, ...rest } = options;
  const { base = new Uniform({ features, low: -Math.PI, high: Math.PI }) } = rest;
  scalarTransformRegistry.add([circularSplineKind]);
  const transform = { type: "circularSpline", bins } as const;
  const circularOptions = { ...rest, base };
  return kind === "coupling"
    ? couplings(features, transform, circularOptions)
    : autoregressive(features, transform, circularOptions);
}
