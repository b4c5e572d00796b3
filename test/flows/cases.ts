import {
  type Flow,
  glow,
  iaf,
  maf,
  nice,
  nsf,
  planarFlow,
  type RecipeOptions,
  radialFlow,
  realNVP,
  sylvesterFlow,
} from "../../src/flows/index.ts";
import { perturb } from "../nn/perturb.ts";

const RECIPES: Readonly<Record<string, (features: number, options: RecipeOptions) => Flow>> = {
  nice,
  realNVP,
  "realNVP, separate networks": (features, options) =>
    realNVP(features, { ...options, conditioner: "separate" }),
  glow,
  maf,
  "maf, separate networks": (features, options) => maf(features, { ...options, conditioner: "separate" }),
  iaf,
  "nsf, autoregressive": (features, options) => nsf(features, { ...options, bins: 5, bound: 4 }),
  "nsf, coupling": (features, options) => nsf(features, { ...options, kind: "coupling", bins: 5, bound: 4 }),
  planar: (features, options) => planarFlow(features, withoutOrders(options)),
  "planar, sampling in closed form": (features, options) =>
    planarFlow(features, { ...withoutOrders(options), closedForm: "sampling" }),
  radial: (features, options) => radialFlow(features, withoutOrders(options)),
  sylvester: (features, options) => sylvesterFlow(features, withoutOrders(options)),
};

function withoutOrders({ ordering: _, orders: __, ensemble: ___, ...options }: RecipeOptions) {
  return options;
}

const COUPLINGS = ["nice", "realNVP", "realNVP, separate networks", "glow", "nsf, coupling"];

export interface Case {
  readonly name: string;
  readonly features: number;
  readonly context: number;
  /** The flow with its initial parameters. */
  build(): Flow;
  /** The flow with perturbed parameters. */
  trained(): Flow;
}

/** All recipes for each number of features in `sizes`, with and without context, with few layers and small networks. */
export function flowCases(sizes: readonly number[], options: RecipeOptions = {}): Case[] {
  return sizes.flatMap((features) =>
    [0, 2].flatMap((context) =>
      Object.entries(RECIPES).flatMap(([recipe, make]): Case[] => {
        // A coupling of a single feature depends only on the context.
        if (COUPLINGS.includes(recipe) && features === 1 && context === 0) return [];
        const build = () =>
          make(features, {
            context,
            transforms: 3,
            hidden: [8, 8],
            activation: "tanh",
            ordering: "random",
            seed: 1,
            ...options,
          });
        return [
          {
            name: `${recipe} of ${features}${context > 0 ? ` given ${context}` : ""}`,
            features,
            context,
            build,
            trained() {
              const flow = build();
              perturb(flow.parameters(), 0.25);
              return flow;
            },
          },
        ];
      }),
    ),
  );
}
