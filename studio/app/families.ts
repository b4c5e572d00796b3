/** The recipes of pushforward that the page offers, and how a setting becomes their options. This module loads no code of them. */

export type RecipeName = "nsf" | "maf" | "iaf" | "realNVP" | "glow" | "planarFlow" | "radialFlow" | "nice";

/** What a reader chooses of a flow. */
export interface Size {
  readonly layers: number;
  readonly width: number;
  readonly seed: number;
  /** Training by samples needs a layer whose direction from latent space to data has a closed form. */
  readonly objective: "likelihood" | "reverse";
}

export interface Family {
  readonly title: string;
  /** One sentence for readers who do not know the name. */
  readonly summary: string;
  readonly recipe: RecipeName;
  readonly options: (size: Size) => Readonly<Record<string, unknown>>;
  readonly hasNetworks: boolean;
  readonly maxLayers: number;
  readonly defaults: { readonly layers: number; readonly width: number; readonly learningRate: number };
}

const withNetworks = ({ layers, width, seed }: Size) => ({
  transforms: layers,
  hidden: [width, width],
  seed,
});
const withoutNetworks = ({ layers, seed }: Size) => ({ transforms: layers, seed });
const planarOptions = (size: Size) => ({
  ...withoutNetworks(size),
  ...(size.objective === "reverse" && { closedForm: "sampling" }),
});

const networks = { options: withNetworks, hasNetworks: true, maxLayers: 16 };

export const families = {
  nsf: {
    title: "Neural spline flow, coupling",
    summary:
      "Each layer keeps one coordinate and bends the other by a spline that a network computes from the first.",
    recipe: "nsf",
    ...networks,
    options: (size) => ({ kind: "coupling", ...withNetworks(size) }),
    defaults: { layers: 4, width: 32, learningRate: 0.005 },
  },
  nsfAutoregressive: {
    title: "Neural spline flow, autoregressive",
    summary: "Each layer bends every coordinate by a spline that depends on the coordinates before it.",
    recipe: "nsf",
    ...networks,
    defaults: { layers: 3, width: 32, learningRate: 0.005 },
  },
  realNVP: {
    title: "RealNVP",
    summary:
      "Each layer keeps one coordinate, and scales and shifts the other by amounts that depend on the first.",
    recipe: "realNVP",
    ...networks,
    defaults: { layers: 8, width: 64, learningRate: 0.003 },
  },
  glow: {
    title: "Glow",
    summary: "RealNVP with a learned linear map of all coordinates before each coupling.",
    recipe: "glow",
    ...networks,
    defaults: { layers: 8, width: 64, learningRate: 0.003 },
  },
  maf: {
    title: "Masked autoregressive flow (MAF)",
    summary:
      "Each coordinate is scaled and shifted by a masked network of the coordinates before it. Density in one pass.",
    recipe: "maf",
    ...networks,
    defaults: { layers: 8, width: 64, learningRate: 0.003 },
  },
  iaf: {
    title: "Inverse autoregressive flow (IAF)",
    summary: "The inverse of MAF: samples in one pass, densities one coordinate after the other.",
    recipe: "iaf",
    ...networks,
    defaults: { layers: 8, width: 64, learningRate: 0.003 },
  },
  nice: {
    title: "NICE",
    summary: "Couplings that only shift, so they keep every volume; one final scaling changes it.",
    recipe: "nice",
    ...networks,
    defaults: { layers: 6, width: 64, learningRate: 0.003 },
  },
  planar: {
    title: "Planar flow",
    summary: "Each layer squeezes or stretches the plane along one line. No networks.",
    recipe: "planarFlow",
    options: planarOptions,
    hasNetworks: false,
    maxLayers: 32,
    defaults: { layers: 16, width: 32, learningRate: 0.02 },
  },
  radial: {
    title: "Radial flow",
    summary: "Each layer squeezes or stretches the plane around one point. No networks.",
    recipe: "radialFlow",
    options: withoutNetworks,
    hasNetworks: false,
    maxLayers: 32,
    defaults: { layers: 16, width: 32, learningRate: 0.02 },
  },
} as const satisfies Readonly<Record<string, Family>>;

export type FamilyName = keyof typeof families;
export const FAMILY_NAMES = Object.keys(families) as FamilyName[];
export const familyOf = (name: FamilyName): Family => families[name];
