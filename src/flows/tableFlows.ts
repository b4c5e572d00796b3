import { Chain } from "../bijections/chain.ts";
import { Standardize } from "../bijections/standardize.ts";
import { Tails } from "../bijections/tails.ts";
import type { Distribution } from "../distributions/distribution.ts";
import { GaussianMixture } from "../distributions/gaussianMixture.ts";
import { StandardNormal } from "../distributions/standardNormal.ts";
import { Random } from "../random/index.ts";
import { Flow } from "./flow.ts";
import { maf, nsf } from "./recipes.ts";

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

/** From this many rows on, speed counts more than flexibility per layer. */
const MANY_ROWS = 20_000;

/**
 * The flows that `fitTable` tries, chosen by the comparison in docs/defaults.md. Seen from the data, two affine
 * autoregressive layers (MAF), which find sharp dependencies fast, then two of splines (NSF), which bend what is left:
 * over a standard normal, which suits smooth data, and over a Gaussian mixture fitted by expectation maximization, which
 * suits clustered and small tables. Tables of many rows get five wider affine layers in their place.
 */
export function tableFlows(features: number, options: TableFlowOptions): { name: string; flow: Flow }[] {
  const { rows, context = 0, seed = 0 } = options;
  const components = Math.max(1, Math.min(64, Math.floor(rows / (4 * features))));
  const mixture = new GaussianMixture({ features, components }, new Random(seed).split("mixture"));
  return [
    { name: "normal", flow: layered(new StandardNormal({ features }), rows, context, seed) },
    { name: "mixture", flow: layered(mixture, rows, context, seed) },
  ];
}

function layered(base: Distribution, rows: number, context: number, seed: number): Flow {
  const many = rows > MANY_ROWS;
  const shape = { context, ordering: "random", hidden: many ? [128, 128] : [64, 64] } as const;
  const affine = maf(base.features, { ...shape, transforms: many ? 5 : 2, seed });
  const splines = nsf(base.features, { ...shape, transforms: 2, seed: seed + 1 });
  const layers = [...(many ? [] : layersOf(splines)), ...layersOf(affine)];
  return forTables(new Flow(base, new Chain(layers)));
}

const layersOf = ({ bijection }: Flow) => (bijection as Chain).bijections;
