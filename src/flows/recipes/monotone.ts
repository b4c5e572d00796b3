import {
  BlockAutoregressive,
  bernsteinKind,
  Chain,
  deepSigmoidalKind,
  monotonicNetworkKind,
  Permutation,
  reverseOrder,
  scalarTransformRegistry,
  sumOfSquaresKind,
} from "../../bijections/index.ts";
import type { Flow } from "../flow.ts";
import { autoregressive } from "./autoregressive.ts";
import { type LayerRecipeOptions, layeredFlow, type RecipeOptions } from "./layers.ts";
import {
  checkedByConstructor,
  layerSchemas,
  type OptionSchemas,
  optionChecker,
  recipeSchemas,
} from "./options.ts";

/** Options of `naf`. */
export interface NAFOptions extends RecipeOptions {
  /** Number of sigmoids in a layer. Default 8. */
  units?: number | undefined;
  /** Number of layers of sigmoids in each transform. Default 1. */
  sigmoidLayers?: number | undefined;
}

/** Options of `umnn`. */
export interface UMNNOptions extends RecipeOptions {
  /** Number of hidden units of the integrand. Default 8. */
  units?: number | undefined;
  /** Number of quadrature nodes, at most 1024. Default 48. */
  nodes?: number | undefined;
  /** The map is the integral on [-bound, bound], and linear outside. Default 5. */
  bound?: number | undefined;
}

/** Options of `bpf` and `sospf`. */
export interface PolynomialFlowOptions extends RecipeOptions {
  /**
   * `bpf`: the degree of the polynomial, at most 128, default 16. `sospf`: the degree n of the polynomials whose squares are summed, at most
   * 256, default 4; the map, their integral, has degree 2 n + 1.
   */
  degree?: number | undefined;
  /** The map is the polynomial on [-bound, bound], and linear outside. Default 5. */
  bound?: number | undefined;
}

/** Options of `bnaf`. */
export interface BNAFOptions extends LayerRecipeOptions {
  /** Number of hidden units for each feature. Default 8. */
  units?: number | undefined;
  /** Number of hidden layers. Default 2. */
  layers?: number | undefined;
}

const checkNaf = optionChecker("naf", {
  ...recipeSchemas,
  units: checkedByConstructor,
  sigmoidLayers: checkedByConstructor,
} satisfies OptionSchemas<NAFOptions>);

const checkUmnn = optionChecker("umnn", {
  ...recipeSchemas,
  units: checkedByConstructor,
  nodes: checkedByConstructor,
  bound: checkedByConstructor,
} satisfies OptionSchemas<UMNNOptions>);

const polynomialSchemas = {
  ...recipeSchemas,
  degree: checkedByConstructor,
  bound: checkedByConstructor,
} satisfies OptionSchemas<PolynomialFlowOptions>;

const checkSospf = optionChecker("sospf", polynomialSchemas);
const checkBpf = optionChecker("bpf", polynomialSchemas);

const checkBnaf = optionChecker("bnaf", {
  ...layerSchemas,
  units: checkedByConstructor,
  layers: checkedByConstructor,
} satisfies OptionSchemas<BNAFOptions>);

/**
 * Neural autoregressive flow (Huang et al. 2018, "Neural autoregressive flows") of rows [N, D], where D is `features`. Each layer is
 *
 *     z_i = (1 - e) T(x_i) + e x_i,  T(x) = logit(sum_k w_k sigmoid(a_k x + b_k)),  e = 1/1000,
 *
 * or with `sigmoidLayers` above 1 the composition of several such maps. A masked network computes the parameters w, a and b from
 * x_1 ... x_i-1 and the context. Sampling inverts the map by root finding.
 *
 * @throws ARGUMENT if `features` is not a positive integer, or if an option is not valid; SHAPE if `base` and the layers differ in features
 *   or context.
 */
export function naf(features: number, options: NAFOptions = {}): Flow {
  checkNaf(features, options);
  const { units = 8, sigmoidLayers = 1, ...rest } = options;
  scalarTransformRegistry.add([deepSigmoidalKind]);
  return autoregressive(features, { type: "deepSigmoidal", units, layers: sigmoidLayers }, rest);
}

/**
 * Unconstrained monotonic neural networks (Wehenkel and Louppe 2019, "Unconstrained monotonic neural networks") in autoregressive layers,
 * for rows [N, D], where D is `features`. Each layer is z_i = c_i + integral of f(t; theta_i) dt from 0 to x_i, where f is a positive
 * network with one hidden layer, and the integral is computed by quadrature. A masked network computes c_i and theta_i from x_1 ... x_i-1
 * and the context. Sampling inverts the map by root finding.
 *
 * @throws ARGUMENT if `features` is not a positive integer, or if an option is not valid, such as `nodes` above 1024; SHAPE if `base` and
 *   the layers differ in features or context.
 */
export function umnn(features: number, options: UMNNOptions = {}): Flow {
  checkUmnn(features, options);
  const { units = 8, nodes = 48, bound = 5, ...rest } = options;
  scalarTransformRegistry.add([monotonicNetworkKind]);
  return autoregressive(features, { type: "monotonicNetwork", units, nodes, bound }, rest);
}

/**
 * Sum-of-squares polynomial flow (Jaini et al. 2019, "Sum-of-squares polynomial flow") of rows [N, D], where D is `features`. Each layer
 * is z_i = T(x_i; theta_i), where T is the integral of a sum of squares of polynomials on [-bound, bound], and linear outside. A masked
 * network computes the coefficients theta_i from x_1 ... x_i-1 and the context. Sampling inverts T by root finding.
 *
 * @throws ARGUMENT if `features` is not a positive integer, or if an option is not valid, such as a `degree` above 256; SHAPE if `base` and
 *   the layers differ in features or context.
 */
export function sospf(features: number, options: PolynomialFlowOptions = {}): Flow {
  checkSospf(features, options);
  const { degree = 4, bound = 5, ...rest } = options;
  scalarTransformRegistry.add([sumOfSquaresKind]);
  return autoregressive(features, { type: "sumOfSquares", degree, bound }, rest);
}

/**
 * Bernstein polynomial flow (Ramasinghe et al. 2021, "Robust normalizing flows using Bernstein-type polynomials") of rows [N, D], where D
 * is `features`. Each layer is z_i = sum_k c_k C(n, k) u^k (1 - u)^(n - k) with u = (x_i + bound) / (2 bound) and increasing coefficients
 * c_k, and linear outside of [-bound, bound]. A masked network computes the c_k from x_1 ... x_i-1 and the context. Sampling inverts the
 * map by root finding.
 *
 * @throws ARGUMENT if `features` is not a positive integer, or if an option is not valid, such as a `degree` above 128; SHAPE if `base` and
 *   the layers differ in features or context.
 */
export function bpf(features: number, options: PolynomialFlowOptions = {}): Flow {
  checkBpf(features, options);
  const { degree = 16, bound = 5, ...rest } = options;
  scalarTransformRegistry.add([bernsteinKind]);
  return autoregressive(features, { type: "bernstein", degree, bound }, rest);
}

/**
 * Block neural autoregressive flow (De Cao et al. 2019, "Block neural autoregressive flow") of rows [N, D], where D is `features`. Each
 * layer is one network from x to z in which z_i depends on x_1 ... x_i and the context, and increases in x_i; see `BlockAutoregressive`.
 * The order of the features is reversed between layers. Sampling inverts the network by root finding.
 *
 * @throws ARGUMENT if `features` is not a positive integer, or if an option is not valid; SHAPE if `base` and the layers differ in features
 *   or context.
 */
export function bnaf(features: number, options: BNAFOptions = {}): Flow {
  checkBnaf(features, options);
  const { context = 0, transforms = 1, units, layers: hiddenLayers } = options;
  const order = reverseOrder(features);
  return layeredFlow(features, { ...options, transforms }, (i, random) => {
    const layer = new BlockAutoregressive({ features, context, units, layers: hiddenLayers }, random);
    return i === 0 ? layer : new Chain([layer, new Permutation({ order })]);
  });
}
