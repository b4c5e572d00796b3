import { Chain } from "../bijections/chain.ts";
import { Standardize } from "../bijections/standardize.ts";
import { Tails } from "../bijections/tails.ts";
import { GaussianMixture } from "../distributions/gaussianMixture.ts";
import { Random } from "../random/index.ts";
import { Flow } from "./flow.ts";
import { nsf } from "./recipes.ts";

/**
 * Puts in front of a flow what columns of real tables need: `Standardize`, fitted to the data, so that the flow works in
 * deviations and its densities are still in data units; and `Tails`, so that a far outlier has a low density, not an
 * absurd one.
 */
export function forTables(flow: Flow): Flow {
  const { features } = flow;
  const parts = flow.bijection instanceof Chain ? flow.bijection.bijections : [flow.bijection];
  return new Flow(flow.base, new Chain([...parts, new Tails({ features }), new Standardize({ features })]));
}

export interface TableFlowOptions {
  /** Number of rows to learn from: it bounds the number of mixture components. */
  rows: number;
  /** Number of context features. Default 0. */
  context?: number;
  /** Default 0. */
  seed?: number;
}

/**
 * The flows that `fitTable` tries, chosen by the comparison in docs/defaults.md: autoregressive neural spline flows over
 * a standard normal, which suits smooth data, and over a Gaussian mixture fitted by expectation maximization, which suits
 * clustered and small tables.
 */
export function tableFlows(features: number, { rows, context = 0, seed = 0 }: TableFlowOptions): { name: string; flow: Flow }[] {
  const shape = { context, transforms: 3, hidden: rows > 20_000 ? [128, 128] : [64, 64], ordering: "random", seed } as const;
  const components = Math.max(1, Math.min(64, Math.floor(rows / (4 * features))));
  const base = new GaussianMixture({ features, components }, new Random(seed).split("mixture"));
  return [
    { name: "normal", flow: forTables(nsf(features, shape)) },
    { name: "mixture", flow: forTables(nsf(features, { ...shape, base })) },
  ];
}
