import { BlockAutoregressive } from "../../bijections/blockAutoregressive.ts";
import { Chain } from "../../bijections/chain.ts";
import { Permutation, reverseOrder } from "../../bijections/permutation.ts";
import { bernsteinKind } from "../../bijections/scalar/bernstein.ts";
import { scalarTransformRegistry } from "../../bijections/scalar/build.ts";
import { deepSigmoidalKind } from "../../bijections/scalar/deepSigmoidal.ts";
import { monotonicNetworkKind } from "../../bijections/scalar/monotonicNetwork.ts";
import { sumOfSquaresKind } from "../../bijections/scalar/sumOfSquares.ts";
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
  units?: number;
  /** Number of layers of sigmoids in each transform. Default 1. */
  sigmoidLayers?: number;
}

/** Options of `umnn`. */
export interface UMNNOptions extends RecipeOptions {
  /** Number of hidden units of the integrand. Default 8. */
  units?: number;
  /** Number of quadrature nodes. Default 48. */
  nodes?: number;
  /** Integrals run over [-bound, bound]. Default 5. */
  bound?: number;
}

/** Options of `bpf` and `sospf`. */
export interface PolynomialFlowOptions extends RecipeOptions {
  /** Degree of the polynomial. Default 4 (sums of squares) or 16 (Bernstein). */
  degree?: number;
  /** The polynomial is defined on [-bound, bound]. Default 5. */
  bound?: number;
}

/** Options of `bnaf`. */
export interface BNAFOptions extends LayerRecipeOptions {
  /** Number of hidden units for each feature. Default 8. */
  units?: number;
  /** Number of hidden layers. Default 2. */
  layers?: number;
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

/** Neural autoregressive flow: mixtures of sigmoids (Huang et al. 2018). */
export function naf(features: number, options: NAFOptions = {}): Flow {
  checkNaf(features, options);
  const { units = 8, sigmoidLayers = 1, ...rest } = options;
  scalarTransformRegistry.add([deepSigmoidalKind]);
  return autoregressive(features, { type: "deepSigmoidal", units, layers: sigmoidLayers }, rest);
}

/** Unconstrained monotonic neural network: integrals of positive networks (Wehenkel and Louppe 2019). */
export function umnn(features: number, options: UMNNOptions = {}): Flow {
  checkUmnn(features, options);
  const { units = 8, nodes = 48, bound = 5, ...rest } = options;
  scalarTransformRegistry.add([monotonicNetworkKind]);
  return autoregressive(features, { type: "monotonicNetwork", units, nodes, bound }, rest);
}

/** Sum-of-squares polynomial flow (Jaini et al. 2019). */
export function sospf(features: number, options: PolynomialFlowOptions = {}): Flow {
  checkSospf(features, options);
  const { degree = 4, bound = 5, ...rest } = options;
  scalarTransformRegistry.add([sumOfSquaresKind]);
  return autoregressive(features, { type: "sumOfSquares", degree, bound }, rest);
}

/** Bernstein polynomial flow (Ramasinghe et al. 2021). */
export function bpf(features: number, options: PolynomialFlowOptions = {}): Flow {
  checkBpf(features, options);
  const { degree = 16, bound = 5, ...rest } = options;
  scalarTransformRegistry.add([bernsteinKind]);
  return autoregressive(features, { type: "bernstein", degree, bound }, rest);
}

/** Block neural autoregressive flow (De Cao et al. 2019): each layer is one network, and the order of features is reversed in between. */
export function bnaf(features: number, options: BNAFOptions = {}): Flow {
  checkBnaf(features, options);
  const { context = 0, units, layers: hiddenLayers } = options;
  const order = reverseOrder(features);
  return layeredFlow(features, { transforms: 1, ...options }, (i, random) => {
    const layer = new BlockAutoregressive({ features, context, units, layers: hiddenLayers }, random);
    return i === 0 ? layer : new Chain([layer, new Permutation({ order })]);
  });
}
