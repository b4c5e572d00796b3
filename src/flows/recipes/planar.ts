import * as z from "zod/mini";
import { type Bijection, Invert, Planar, Radial, Sylvester } from "../../bijections/index.ts";
import type { Flow } from "../flow.ts";
import { layeredFlow, networkOptions, type RecipeOptions } from "./layers.ts";
import {
  checkedByConstructor,
  layerSchemas,
  networkSchemas,
  type OptionSchemas,
  optionChecker,
  recipeSchemas,
} from "./options.ts";

/**
 * Options of `radialFlow`. Its layers have parameters of their own. With a context, networks compute these parameters; `hidden`,
 * `activation` and `residual` describe the networks. There are no orderings or masks to choose.
 */
export type RadialRecipeOptions = Omit<RecipeOptions, "ordering" | "orders" | "ensemble">;

/** Options of `planarFlow`. */
export interface PlanarFlowOptions extends RadialRecipeOptions {
  /**
   * Which of the two has a closed form: the density of data, or sampling. The other one needs root finding, which is slower.
   * Default `density`, for maximum likelihood; choose `sampling` for `fitDensity`, which trains on samples of the flow.
   */
  closedForm?: "density" | "sampling" | undefined;
}

/** Options of `sylvesterFlow`. */
export interface SylvesterFlowOptions extends PlanarFlowOptions {
  /** M, the dimension of the subspace in which a layer moves points; a planar layer has 1. Default min(D, 8). */
  columns?: number | undefined;
}

const radialSchemas = {
  ...networkSchemas,
  ...layerSchemas,
  batchNorm: recipeSchemas.batchNorm,
} satisfies OptionSchemas<RadialRecipeOptions>;
const planarSchemas = {
  ...radialSchemas,
  closedForm: z.enum(["density", "sampling"]),
} satisfies OptionSchemas<PlanarFlowOptions>;
const sylvesterSchemas = {
  ...planarSchemas,
  columns: checkedByConstructor,
} satisfies OptionSchemas<SylvesterFlowOptions>;

/** The number of layers of the longest planar and radial flows of the paper. One layer changes a density little. */
const PLANAR_LAYERS = 32;
/** Fewer than for planar flows, since a layer does the work of up to 8 planar layers. */
const SYLVESTER_LAYERS = 8;

const checkRadial = optionChecker("radialFlow", radialSchemas);
const checkPlanar = optionChecker("planarFlow", planarSchemas);
const checkSylvester = optionChecker("sylvesterFlow", sylvesterSchemas);

/**
 * Planar flow (Rezende and Mohamed 2015, "Variational inference with normalizing flows") of rows [N, D], where D is `features`. Each
 * layer is z = x + u tanh(w·x + b), which contracts or expands space perpendicular to the hyperplane w·x + b = 0. With `closedForm`
 * `sampling` x and z are exchanged. See `Planar`.
 *
 * @throws ARGUMENT if `features` is not a positive integer, or if an option is not valid; SHAPE if `base` and the layers differ in features
 *   or context.
 */
export function planarFlow(features: number, options: PlanarFlowOptions = {}): Flow {
  checkPlanar(features, options);
  const { context = 0, transforms = PLANAR_LAYERS, closedForm } = options;
  return layeredFlow(features, { ...options, transforms }, (_, random) =>
    orient(new Planar({ features, context, network: networkOptions(options) }, random), closedForm),
  );
}

/**
 * Radial flow (Rezende and Mohamed 2015, "Variational inference with normalizing flows") of rows [N, D], where D is `features`. Each
 * layer is x = z + β (z - z0) / (α + |z - z0|), which contracts or expands space around the point z0. Both directions have a closed form.
 * See `Radial`.
 *
 * @throws ARGUMENT if `features` is not a positive integer, or if an option is not valid; SHAPE if `base` and the layers differ in features
 *   or context.
 */
export function radialFlow(features: number, options: RadialRecipeOptions = {}): Flow {
  checkRadial(features, options);
  const { context = 0, transforms = PLANAR_LAYERS } = options;
  return layeredFlow(
    features,
    { ...options, transforms },
    (_, random) => new Radial({ features, context, network: networkOptions(options) }, random),
  );
}

/**
 * Sylvester flow (van den Berg et al. 2018, "Sylvester normalizing flows for variational inference") of rows [N, D], where D is `features`.
 * Each layer is z = x + Q R tanh(R~ Q^T x + b), a planar layer with M hyperplanes at once: the M columns of Q are orthonormal, and R and R~
 * are upper triangular. With `closedForm` `sampling` x and z are exchanged. See `Sylvester`.
 *
 * @throws ARGUMENT if `features` is not a positive integer, or if an option is not valid, such as more `columns` than features; SHAPE if
 *   `base` and the layers differ in features or context.
 */
export function sylvesterFlow(features: number, options: SylvesterFlowOptions = {}): Flow {
  checkSylvester(features, options);
  const { context = 0, transforms = SYLVESTER_LAYERS, closedForm, columns } = options;
  return layeredFlow(features, { ...options, transforms }, (_, random) =>
    orient(
      new Sylvester({ features, columns, context, network: networkOptions(options) }, random),
      closedForm,
    ),
  );
}

/**
 * The forward direction of `bijection`, which a flow uses for sampling, has a closed form. To get the density in closed form, the
 * bijection is inverted.
 */
const orient = (bijection: Bijection, closedForm: PlanarFlowOptions["closedForm"] = "density"): Bijection =>
  closedForm === "sampling" ? bijection : new Invert(bijection);
