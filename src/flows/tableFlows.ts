import type { Bijection } from "../bijections/bijection.ts";
import { Chain } from "../bijections/chain.ts";
import { Standardize } from "../bijections/standardize.ts";
import { StandardizeContext } from "../bijections/standardizeContext.ts";
import { Tails } from "../bijections/tails.ts";
import { countSchema } from "../description.ts";
import { ContextEmbedding, type ContextEmbeddingOptions } from "../distributions/contextEmbedding.ts";
import type { Distribution } from "../distributions/distribution.ts";
import { GaussianMixture } from "../distributions/gaussianMixture.ts";
import { StandardNormal } from "../distributions/standardNormal.ts";
import { checkOptions } from "../options.ts";
import { parse } from "../parse.ts";
import { Random } from "../random/index.ts";
import { checkFlow } from "./checkParts.ts";
import { Flow } from "./flow.ts";
import { maf } from "./recipes/autoregressive.ts";
import type { RecipeOptions } from "./recipes/layers.ts";
import { nsf } from "./recipes/spline.ts";

/**
 * Puts in front of a flow what columns of real tables need: `Standardize`, fitted to the data, so that the flow works in
 * deviations and its densities are still in data units; and `Tails`, so that a far outlier has a low density, not an
 * absurd one. A context is standardized likewise, unless it has an embedding, which does so itself. Bijections onto a
 * support, such as `Exp`, that stand next to the data stay there: both are put behind them.
 */
export function forTables(flow: Flow): Flow {
  checkFlow("forTables", flow);
  const { features } = flow;
  const { free, onto } = splitAtSupport(flow.bijection);
  const layers = free.map((each) =>
    each.context > 0 && !flow.embedding ? new StandardizeContext(each) : each,
  );
  const table = [new Tails({ features }), new Standardize({ features })];
  return new Flow(flow.base, Chain.joined([...layers, ...table, ...onto]), flow.embedding);
}

/** A bijection as one onto all of space, or none, and those next to the data that are onto a part of it. */
function splitAtSupport(bijection: Bijection): { free: Bijection[]; onto: Bijection[] } {
  if (!bijection.support) return { free: [bijection], onto: [] };
  const parts = bijection.parts?.map((part) => part.bijection) ?? [];
  const first = parts.findLastIndex(({ support }) => !support) + 1;
  if (parts.length === 0) return { free: [], onto: [bijection] };
  if (first === parts.length) return { free: [bijection], onto: [] };
  const next = splitAtSupport(parts[first]);
  const free = [...parts.slice(0, first), ...next.free];
  return { free: free.length > 0 ? [new Chain(free)] : [], onto: [...next.onto, ...parts.slice(first + 1)] };
}

export interface TableFlowOptions {
  /** Number of rows to learn from: it bounds the number of mixture components. */
  rows: number;
  /** Number of context features. Default 0. */
  context?: number;
  /** What each flow embeds its context by, with weights of its own. Default none: it sees the context itself. */
  embedding?: ContextEmbeddingOptions;
  /** Default 0. */
  seed?: number;
}

/** Beyond this many rows speed counts more than what a single layer can bend. */
const MANY_ROWS = 20_000;

/**
 * The flows that `fitTable` tries, chosen by the comparison in docs/defaults.md; no one of them is best for all tables.
 *
 * - `affine`: affine autoregressive layers (MAF), which find sharp dependencies fast, and below them splines (NSF)
 * - `splines`: three spline layers alone, which bend single columns best
 * - `mixture`: the layers of `affine` over a Gaussian mixture that expectation maximization fits, for clusters
 *
 * Tables of many rows get five wider affine layers in `affine` and `mixture`, and no `splines`.
 */
export function tableFlows(features: number, options: TableFlowOptions): { name: string; flow: Flow }[] {
  checkOptions("tableFlows", options, ["rows", "context", "embedding", "seed"]);
  const { rows, context = 0, embedding, seed = 0 } = options;
  parse(countSchema, rows, "the option rows of tableFlows");
  const random = new Random(seed);
  const many = rows > MANY_ROWS;
  const embed = () => embedding && new ContextEmbedding(embedding, random.split("embedding"));
  const shape: RecipeOptions = {
    context: embed()?.size ?? context,
    ordering: "random",
    hidden: many ? [128, 128] : [64, 64],
  };
  const affine = (): Bijection[] => [
    ...(many ? [] : layersOf(nsf(features, { ...shape, transforms: 2, seed: seed + 1 }))),
    ...layersOf(maf(features, { ...shape, transforms: many ? 5 : 2, seed })),
  ];
  const splines = () => layersOf(nsf(features, { ...shape, transforms: 3, seed: seed + 1 }));
  const normal = new StandardNormal({ features });
  const components = Math.max(1, Math.min(64, Math.floor(rows / (4 * features))));
  const mixture = new GaussianMixture({ features, components }, random.split("mixture"));
  const flow = (base: Distribution, parts: readonly Bijection[]) =>
    forTables(new Flow(base, new Chain(parts), embed()));
  return [
    { name: "affine", flow: flow(normal, affine()) },
    ...(many ? [] : [{ name: "splines", flow: flow(normal, splines()) }]),
    { name: "mixture", flow: flow(mixture, affine()) },
  ];
}

const layersOf = ({ bijection }: Flow): readonly Bijection[] =>
  bijection.parts?.map((part) => part.bijection) ?? [bijection];
