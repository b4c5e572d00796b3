import { BlockAutoregressive } from "../../bijections/blockAutoregressive.ts";
import { Chain } from "../../bijections/chain.ts";
import { Permutation, reverseOrder } from "../../bijections/permutation.ts";
import type { Flow } from "../flow.ts";
import { autoregressive } from "./autoregressive.ts";
import { layers, type OwnRecipeOptions, type RecipeOptions } from "./layers.ts";
import { checkedByPart, type Fields, layerFields, recipeCheck, recipeFields } from "./options.ts";

export interface NAFRecipeOptions extends RecipeOptions {
  /** Sigmoids of a layer. Default 8. */
  units?: number;
  /** Layers of sigmoids in each transform. Default 1. */
  sigmoidLayers?: number;
}

export interface UMNNRecipeOptions extends RecipeOptions {
  /** Hidden units of the integrand. Default 8. */
  units?: number;
  /** Points of the quadrature. Default 48. */
  nodes?: number;
  /** Integrals run over [-bound, bound]. Default 5. */
  bound?: number;
}

export interface PolynomialRecipeOptions extends RecipeOptions {
  /** Default 4 (sums of squares) or 16 (Bernstein). */
  degree?: number;
  /** The polynomial lives on [-bound, bound]. Default 5. */
  bound?: number;
}

export interface BNAFRecipeOptions extends OwnRecipeOptions {
  /** Hidden units of each feature. Default 8. */
  units?: number;
  /** Hidden layers. Default 2. */
  layers?: number;
}

const checkNaf = recipeCheck("naf", {
  ...recipeFields,
  units: checkedByPart,
  sigmoidLayers: checkedByPart,
} satisfies Fields<NAFRecipeOptions>);

const checkUmnn = recipeCheck("umnn", {
  ...recipeFields,
  units: checkedByPart,
  nodes: checkedByPart,
  bound: checkedByPart,
} satisfies Fields<UMNNRecipeOptions>);

const polynomialFields = {
  ...recipeFields,
  degree: checkedByPart,
  bound: checkedByPart,
} satisfies Fields<PolynomialRecipeOptions>;

const checkSospf = recipeCheck("sospf", polynomialFields);
const checkBpf = recipeCheck("bpf", polynomialFields);

const checkBnaf = recipeCheck("bnaf", {
  ...layerFields,
  units: checkedByPart,
  layers: checkedByPart,
} satisfies Fields<BNAFRecipeOptions>);

/** Neural autoregressive flow: mixtures of sigmoids (Huang et al. 2018). */
export function naf(features: number, options: NAFRecipeOptions = {}): Flow {
  checkNaf(features, options);
  const { units = 8, sigmoidLayers = 1, ...rest } = options;
  return autoregressive(features, { type: "deepSigmoidal", units, layers: sigmoidLayers }, rest);
}

/** Unconstrained monotonic neural network: integrals of positive networks (Wehenkel and Louppe 2019). */
export function umnn(features: number, options: UMNNRecipeOptions = {}): Flow {
  checkUmnn(features, options);
  const { units = 8, nodes = 48, bound = 5, ...rest } = options;
  return autoregressive(features, { type: "monotonicNetwork", units, nodes, bound }, rest);
}

/** Sum-of-squares polynomial flow (Jaini et al. 2019). */
export function sospf(features: number, options: PolynomialRecipeOptions = {}): Flow {
  checkSospf(features, options);
  const { degree = 4, bound = 5, ...rest } = options;
  return autoregressive(features, { type: "sumOfSquares", degree, bound }, rest);
}

/** Bernstein polynomial flow (Ramasinghe et al. 2021). */
export function bpf(features: number, options: PolynomialRecipeOptions = {}): Flow {
  checkBpf(features, options);
  const { degree = 16, bound = 5, ...rest } = options;
  return autoregressive(features, { type: "bernstein", degree, bound }, rest);
}

/** Block neural autoregressive flow: each layer one network, the order turned around in between (De Cao et al. 2019). */
export function bnaf(features: number, options: BNAFRecipeOptions = {}): Flow {
  checkBnaf(features, options);
  const { context = 0, units, layers: hiddenLayers } = options;
  const order = reverseOrder(features);
  return layers(features, { transforms: 1, ...options }, (i, random) => {
    const layer = new BlockAutoregressive({ features, context, units, layers: hiddenLayers }, random);
    return i === 0 ? layer : new Chain([layer, new Permutation({ order })]);
  });
}
