import { type Bijection, Chain, Standardize, StandardizeContext, Tails } from "../../bijections/index.ts";
import { anyValue, checkOptions, integerFrom, required } from "../../check/index.ts";
import {
  ContextEmbedding,
  type ContextEmbeddingOptions,
  type Distribution,
  GaussianMixture,
  StandardNormal,
} from "../../distributions/index.ts";
import { checkFlow, Flow, maf, nsf, type RecipeOptions } from "../../flows/index.ts";
import { Random } from "../../random/index.ts";

/**
 * Adds to a flow what columns of real tables need: `Standardize`, fitted to the data, so that the flow models standardized columns while
 * its densities are in data units; and `Tails`, so that the log-density of an outlier decreases with the square of the logarithm of its
 * distance, and not with the square of the distance. The context of a conditional bijection is standardized too, unless the flow has an
 * embedding, which standardizes its input; that of a conditional base, such as `madeFlow`, is not. Bijections next to the data onto a
 * support, such as `Exp`, stay next to the data. Throws `ARGUMENT` if the argument is not a flow.
 */
export function forTables(flow: Flow): Flow {
  checkFlow("forTables", flow);
  const { features } = flow;
  const { unconstrained, toSupport } = splitAtSupport(flow.bijection);
  const layers = unconstrained.map((each) =>
    each.context > 0 && !flow.embedding ? new StandardizeContext(each) : each,
  );
  const table = [new Tails({ features }), new Standardize({ features })];
  return new Flow(flow.base, Chain.joined([...layers, ...table, ...toSupport]), flow.embedding);
}

/**
 * Splits a bijection into the maps next to the data whose images are a part of space, such as `Exp`, and the composition of all maps before
 * them, which is in a list that is empty if there are none.
 */
function splitAtSupport(bijection: Bijection): { unconstrained: Bijection[]; toSupport: Bijection[] } {
  if (!bijection.support) return { unconstrained: [bijection], toSupport: [] };
  const parts = bijection.parts?.map((part) => part.bijection) ?? [];
  const first = parts.findLastIndex(({ support }) => !support) + 1;
  if (parts.length === 0) return { unconstrained: [], toSupport: [bijection] };
  if (first === parts.length) return { unconstrained: [bijection], toSupport: [] };
  const nested = splitAtSupport(parts[first]);
  const unconstrainedParts = [...parts.slice(0, first), ...nested.unconstrained];
  return {
    unconstrained: unconstrainedParts.length > 0 ? [new Chain(unconstrainedParts)] : [],
    toSupport: [...nested.toSupport, ...parts.slice(first + 1)],
  };
}

/** Options of `tableFlows`. */
interface TableFlowOptions {
  /** Number of rows, from which the sizes of networks and mixtures are chosen. */
  rows: number;
  /** Number of context features. Default 0. */
  context?: number | undefined;
  /** Embedding of the context. Each flow has separate weights for it. Default none. */
  embedding?: ContextEmbeddingOptions | undefined;
  /** Default 0. */
  seed?: number | undefined;
}

/**
 * For larger tables, affine layers are trained instead of spline layers, which take longer to train and gain less there. The autoregressive
 * network of `fitTable` is then wider, and the averages of its weights are longer.
 */
export const MAX_ROWS_OF_SMALL_TABLE = 20_000;

/**
 * The flows that `fitFlows` tries. They are chosen by the comparison in docs/defaults.md; none of them is best for all tables.
 *
 * - `affine`: affine autoregressive layers (MAF), which learn strong dependencies fast, and spline layers (NSF) next to the base
 * - `splines`: three spline layers, which model the distributions of single columns best
 * - `mixture`: the layers of `affine` over a Gaussian mixture that is fitted by expectation maximization, for clusters
 *
 * For more than 20,000 rows, `affine` and `mixture` have five wider affine layers, and there is no `splines`.
 */
export function tableFlows(features: number, options: TableFlowOptions): { name: string; flow: Flow }[] {
  checkOptions("tableFlows", options, {
    rows: required(integerFrom(0)),
    context: integerFrom(0),
    embedding: anyValue,
    seed: integerFrom(0),
  });
  const { rows, context = 0, embedding, seed = 0 } = options;
  const random = new Random(seed);
  const largeTable = rows > MAX_ROWS_OF_SMALL_TABLE;
  const embed = () => embedding && new ContextEmbedding(embedding, random.split("embedding"));
  const shape: RecipeOptions = {
    context: embed()?.size ?? context,
    ordering: "random",
    hidden: largeTable ? [128, 128] : [64, 64],
  };
  const affine = (): Bijection[] => [
    ...(largeTable ? [] : bijectionsOf(nsf(features, { ...shape, transforms: 2, seed: seed + 1 }))),
    ...bijectionsOf(maf(features, { ...shape, transforms: largeTable ? 5 : 2, seed })),
  ];
  const splines = () => bijectionsOf(nsf(features, { ...shape, transforms: 3, seed: seed + 1 }));
  const normal = new StandardNormal({ features });
  // A component has a mean and a covariance of D features, so on average it should have at least 4 D rows.
  const components = Math.max(1, Math.min(64, Math.floor(rows / (4 * features))));
  const mixture = new GaussianMixture({ features, components }, random.split("mixture"));
  const flow = (base: Distribution, parts: readonly Bijection[]) =>
    forTables(new Flow(base, new Chain(parts), embed()));
  return [
    { name: "affine", flow: flow(normal, affine()) },
    ...(largeTable ? [] : [{ name: "splines", flow: flow(normal, splines()) }]),
    { name: "mixture", flow: flow(mixture, affine()) },
  ];
}

const bijectionsOf = ({ bijection }: Flow): readonly Bijection[] =>
  bijection.parts?.map((part) => part.bijection) ?? [bijection];
