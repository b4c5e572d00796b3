import * as z from "zod/mini";
import type { Bijection } from "../../bijections/bijection.ts";
import { Invert } from "../../bijections/invert.ts";
import { Planar } from "../../bijections/planar.ts";
import { Radial } from "../../bijections/radial.ts";
import { Sylvester } from "../../bijections/sylvester.ts";
import type { Flow } from "../flow.ts";
import { layers, network, type RecipeOptions } from "./layers.ts";
import {
  checkedByPart,
  type Fields,
  layerFields,
  networkFields,
  recipeCheck,
  recipeFields,
} from "./options.ts";

/** Layers whose networks, if any, are of the context. */
export type RadialRecipeOptions = Omit<RecipeOptions, "ordering" | "orders" | "ensemble">;

export interface PlanarFlowOptions extends RadialRecipeOptions {
  /** Which direction is closed form; the other one finds roots. Default `density`. */
  closedForm?: "density" | "sampling";
}

export interface SylvesterFlowOptions extends PlanarFlowOptions {
  /** Number of directions that a layer bends. Default D, but no more than 8. */
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
const sylvesterFields = { ...planarFields, columns: checkedByPart } satisfies Fields<SylvesterFlowOptions>;

const checkRadial = recipeCheck("radialFlow", radialFields);
const checkPlanar = recipeCheck("planarFlow", planarFields);
const checkSylvester = recipeCheck("sylvesterFlow", sylvesterFields);

/** Planar flow: each layer bends space across a plane (Rezende and Mohamed 2015). */
export function planarFlow(features: number, options: PlanarFlowOptions = {}): Flow {
  checkPlanar(features, options);
  const { context = 0, closedForm } = options;
  return layers(features, { transforms: 32, ...options }, (_, random) =>
    turned(new Planar({ features, context, network: network(options) }, random), closedForm),
  );
}

/** Radial flow: each layer draws rows to a point or pushes them away, in closed form both ways (Rezende and Mohamed 2015). */
export function radialFlow(features: number, options: RadialRecipeOptions = {}): Flow {
  checkRadial(features, options);
  const { context = 0 } = options;
  return layers(
    features,
    { transforms: 32, ...options },
    (_, random) => new Radial({ features, context, network: network(options) }, random),
  );
}

/** Sylvester flow: each layer is planar in several directions at once (van den Berg et al. 2018). */
export function sylvesterFlow(features: number, options: SylvesterFlowOptions = {}): Flow {
  checkSylvester(features, options);
  const { context = 0, closedForm, columns } = options;
  return layers(features, { transforms: 8, ...options }, (_, random) =>
    turned(new Sylvester({ features, columns, context, network: network(options) }, random), closedForm),
  );
}

/** A map whose sampling direction is closed form, turned around unless that is what is asked for. */
const turned = (bijection: Bijection, closedForm: PlanarFlowOptions["closedForm"]): Bijection =>
  closedForm === "sampling" ? bijection : new Invert(bijection);
