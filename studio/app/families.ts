/** The recipes of pushforward that the page offers, and their options. This module does not import them, so that the page loads fast. */

import type { BaseName } from "./bases.ts";

export type RecipeName =
  | "cnf"
  | "nsf"
  | "maf"
  | "iaf"
  | "realNVP"
  | "glow"
  | "planarFlow"
  | "radialFlow"
  | "nice";

/** The parts of a setting that determine the options of a recipe. */
export interface RecipeSettings {
  readonly layers: number;
  readonly width: number;
  readonly seed: number;
  /** The reverse divergence is estimated from samples, so layers need a closed form from latent space to data. */
  readonly objective: "likelihood" | "reverse";
}

export interface Family {
  readonly title: string;
  /** One sentence for readers who do not know the name. */
  readonly summary: string;
  readonly recipe: RecipeName;
  readonly options: (settings: RecipeSettings) => Readonly<Record<string, unknown>>;
  readonly hasNetworks: boolean;
  /** Options of `fit` for this family. Families with such options have their own base, and are not fitted to densities. */
  readonly training?: { readonly objective: "flowMatching" };
  readonly maxLayers: number;
  readonly defaults: {
    readonly layers: number;
    readonly width: number;
    readonly learningRate: number;
    readonly base: BaseName;
  };
}

const withNetworks = ({ layers, width, seed }: RecipeSettings) => ({
  transforms: layers,
  hidden: [width, width],
  seed,
});
const withoutNetworks = ({ layers, seed }: RecipeSettings) => ({ transforms: layers, seed });
const planarOptions = (settings: RecipeSettings) => ({
  ...withoutNetworks(settings),
  ...(settings.objective === "reverse" && { closedForm: "sampling" }),
});

const networks = { options: withNetworks, hasNetworks: true, maxLayers: 16 };

export const families = {
  nsf: {
    title: "Neural spline flow, coupling",
    summary:
      "Each layer keeps one coordinate and maps the other by a spline, which a network computes from the first.",
    recipe: "nsf",
    ...networks,
    options: (settings) => ({ kind: "coupling", ...withNetworks(settings) }),
    defaults: { layers: 4, width: 32, learningRate: 0.005, base: "normal" },
  },
  nsfAutoregressive: {
    title: "Neural spline flow, autoregressive",
    summary: "Each layer maps every coordinate by a spline that depends on the coordinates before it.",
    recipe: "nsf",
    ...networks,
    defaults: { layers: 3, width: 32, learningRate: 0.005, base: "normal" },
  },
  realNVP: {
    title: "RealNVP",
    summary:
      "Each layer keeps one coordinate, and scales and shifts the other by amounts that depend on the first.",
    recipe: "realNVP",
    ...networks,
    defaults: { layers: 8, width: 64, learningRate: 0.003, base: "normal" },
  },
  glow: {
    title: "Glow",
    summary: "RealNVP with a learned linear map of all coordinates before each coupling.",
    recipe: "glow",
    ...networks,
    defaults: { layers: 8, width: 64, learningRate: 0.003, base: "normal" },
  },
  maf: {
    title: "Masked autoregressive flow (MAF)",
    summary:
      "A masked network scales and shifts each coordinate, depending on the coordinates before it. Densities take one pass.",
    recipe: "maf",
    ...networks,
    defaults: { layers: 8, width: 64, learningRate: 0.003, base: "normal" },
  },
  iaf: {
    title: "Inverse autoregressive flow (IAF)",
    summary:
      "The inverse of MAF: samples take one pass, densities are computed one coordinate after the other.",
    recipe: "iaf",
    ...networks,
    defaults: { layers: 8, width: 64, learningRate: 0.003, base: "normal" },
  },
  nice: {
    title: "NICE",
    summary:
      "Couplings that only shift, so they preserve volume, and one scaling of each coordinate. The base is logistic.",
    recipe: "nice",
    ...networks,
    defaults: { layers: 6, width: 64, learningRate: 0.003, base: "logistic" },
  },
  planar: {
    title: "Planar flow",
    summary: "Each layer squeezes or stretches the plane across one line. There are no networks.",
    recipe: "planarFlow",
    options: planarOptions,
    hasNetworks: false,
    maxLayers: 32,
    defaults: { layers: 16, width: 32, learningRate: 0.02, base: "normal" },
  },
  radial: {
    title: "Radial flow",
    summary: "Each layer squeezes or stretches the plane around one point. There are no networks.",
    recipe: "radialFlow",
    options: withoutNetworks,
    hasNetworks: false,
    maxLayers: 32,
    defaults: { layers: 16, width: 32, learningRate: 0.02, base: "normal" },
  },
  continuous: {
    title: "Continuous flow, by flow matching",
    summary:
      "A network is the velocity of a motion from latent space to data, which is learned by regression.",
    recipe: "cnf",
    options: ({ width, seed }) => ({ hidden: [width, width, width], seed }),
    hasNetworks: true,
    training: { objective: "flowMatching" },
    maxLayers: 1,
    defaults: { layers: 1, width: 64, learningRate: 0.003, base: "normal" },
  },
} as const satisfies Readonly<Record<string, Family>>;

export type FamilyName = keyof typeof families;
export const FAMILY_NAMES = Object.keys(families) as FamilyName[];
export const familyOf = (name: FamilyName): Family => families[name];
