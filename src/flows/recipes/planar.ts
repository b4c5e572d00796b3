import * as z from "zod/mini";
import type { Bijection } from "../../bijections/bijection.ts";
import { Invert } from "../../bijections/invert.ts";
import { Planar } from "../../bijections/planar.ts";
import { Radial } from "../../bijections/radial.ts";
import { Sylvester } from "../../bijections/sylvester.ts";
import type { Flow } from "../flow.ts";
import { layeredFlow, networkOptions, type RecipeOptions } from "./layers.ts";
import {
  checkedByConstructor,
  type Fields,
  layerFields,
  networkFields,
  optionChecker,
  recipeFields,
} from "./options.ts";

/** Options of planar and radial flows, whose networks, if they are conditional, take only the context. */
export type RadialRecipeOptions = Omit<RecipeOptions, "ordering" | "orders" | "ensemble">;

/** Options of `planarFlow`. */
export interface PlanarFlowOptions extends RadialRecipeOptions {
  /** The direction with a closed form. The other one uses root finding. Default `density`. */
  closedForm?: "density" | "sampling";
}

/** Options of `sylvesterFlow`. */
export interface SylvesterFlowOptions extends PlanarFlowOptions {
  /** Number of directions in which a layer changes its input. Default D, but at most 8. */
  columns?: number;
}

const radialFields = {
  ...networkFields,
  ...layerFields,
  batchNorm: recipeFields.batchNorm,
} satisfies Fields<RadialRecipeOptions>;
const planarFields = {
  ...radialFields,
  closedForm: z.enum(["density", "sampling"]),
} satisfies Fields<PlanarFlowOptions>;
const sylvesterFields = {
  ...planarFields,
  columns: checkedByConstructor,
} satisfies Fields<SylvesterFlowOptions>;

const checkRadial = optionChecker("radialFlow", radialFields);
const checkPlanar = optionChecker("planarFlow", planarFields);
const checkSylvester = optionChecker("sylvesterFlow", sylvesterFields);

/** Planar flow (Rezende and Mohamed 2015): each layer contracts or expands space perpendicular to a hyperplane. */
export function planarFlow(features: number, options: PlanarFlowOptions = {}): Flow {
  checkPlanar(features, options);
  const { context = 0, closedForm } = options;
  return layeredFlow(features, { transforms: 32, ...options }, (_, random) =>
    withClosedForm(new Planar({ features, context, network: networkOptions(options) }, random), closedForm),
  );
}

/** Radial flow (Rezende and Mohamed 2015): each layer contracts or expands space around a point. Both directions have a closed form. */
export function radialFlow(features: number, options: RadialRecipeOptions = {}): Flow {
  checkRadial(features, options);
  const { context = 0 } = options;
  return layeredFlow(
    features,
    { transforms: 32, ...options },
    (_, random) => new Radial({ features, context, network: networkOptions(options) }, random),
  );
}

/** Sylvester flow (van den Berg et al. 2018): each layer generalizes a planar layer to several directions. */
export function sylvesterFlow(features: number, options: SylvesterFlowOptions = {}): Flow {
  checkSylvester(features, options);
  const { context = 0, closedForm, columns } = options;
  return layeredFlow(features, { transforms: 8, ...options }, (_, random) =>
    withClosedForm(
      new Sylvester({ features, columns, context, network: networkOptions(options) }, random),
      closedForm,
    ),
  );
}

/** Inverts a bijection whose forward direction (sampling) has a closed form, unless `closedForm` is `sampling`. */
const withClosedForm = (bijection: Bijection, closedForm: PlanarFlowOptions["closedForm"]): Bijection =>
  closedForm === "sampling" ? bijection : new Invert(bijection);
