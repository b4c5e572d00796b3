import * as z from "zod/mini";
import { PushforwardError, parse } from "../check/index.ts";
import { concat, currentVariant, type Tensor } from "../graph/index.ts";
import {
  type AxisPermutations,
  columnPermutations,
  drawPermutations,
  inversePermutation,
  MLP,
  type NetworkOptions,
  networkSchema,
  requireColumns,
  variantCountSchema,
} from "../nn/index.ts";
import { countSchema, type Description } from "../parts/index.ts";
import { Random } from "../random/index.ts";
import { type Bijection, type BijectionKind, sumFeatures, type Transformed } from "./bijection.ts";
import { buildScalarTransform, describeWithTransform, scalarTransformSchema } from "./scalar/build.ts";
import type { ScalarTransformOptions } from "./scalar/registry.ts";
import { forNetworkInputs, networkInputs, type ScalarTransform } from "./scalar/scalarTransform.ts";

/** True for the features that stay unchanged and condition the others. */
export const maskSchema = z.array(z.boolean()).check(
  z.minLength(1),
  z.refine((mask) => mask.includes(false), { error: "at least one feature to transform (false)" }),
);

const couplingSchema = z.strictObject({
  type: z.literal("coupling"),
  mask: maskSchema,
  context: z._default(countSchema, 0),
  transform: z._default(scalarTransformSchema, { type: "affine" }),
  network: z.prefault(networkSchema, {}),
  masks: z.optional(variantCountSchema),
  seed: z.optional(z.int().check(z.nonnegative())),
});

/** Options of `Coupling`. */
export interface CouplingOptions {
  /** [D], true for the features that stay unchanged; at least one is false. */
  mask: boolean[];
  /** C, the number of context features. Default 0: an unconditional map. */
  context?: number | undefined;
  /** The scalar transform of each feature: its options, or an object of your own. Default `{ type: "affine" }`. */
  transform?: ScalarTransformOptions | ScalarTransform | undefined;
  /** The network that computes the parameters. Default two hidden layers of 64 units with relu. */
  network?: NetworkOptions | undefined;
  /** M, the number of masks that share the weights, at most 256: `mask` and M - 1 random ones of its size. Default 1. */
  masks?: number | undefined;
  /** Seed of the random masks. Default 0. */
  seed?: number | undefined;
}

/**
 * Coupling layer: some features stay unchanged, and a network computes from them and the context the parameters of a scalar
 * transform of the others. With the additive transform it is NICE (Dinh et al. 2015), with the affine one RealNVP (Dinh et al.
 * 2017), with the rational-quadratic spline the coupling neural spline flow (Durkan et al. 2019). Both directions take one
 * pass of the network.
 *
 * With several `masks`, training cycles through them from batch to batch; evaluation uses `mask`. The network then has inputs and
 * outputs for all features, and each mask uses the inputs of its unchanged and the outputs of its changed features.
 */
export class Coupling implements Bijection {
  readonly features: number;
  readonly context: number;
  readonly network: MLP;
  private readonly options: z.output<typeof couplingSchema>;
  private readonly transform: ScalarTransform;
  /** The number of unchanged features, the same for each mask. */
  private readonly unchanged: number;
  /** For each mask an order of the features, with the unchanged ones first. */
  private readonly order: AxisPermutations;
  /** For each of several masks the order of the network's inputs and outputs. */
  private readonly networkOrders:
    | { readonly inputs: AxisPermutations; readonly outputs: AxisPermutations }
    | undefined;

  /** Throws `ARGUMENT` if the options are not valid, or if there is neither an unchanged feature nor a context. */
  constructor(options: CouplingOptions, random: Random) {
    this.options = parse(couplingSchema, { type: "coupling", ...options }, "a coupling");
    const { mask, context, transform, network, masks = 1, seed = 0 } = this.options;
    const D = mask.length;
    this.features = D;
    this.context = context;
    this.transform = buildScalarTransform(transform);
    const { unchanged, changed } = splitByMask(mask, context);
    this.unchanged = unchanged.length;
    this.order = drawPermutations([...unchanged, ...changed], masks, new Random(seed).split("masks"));
    const hasSeveralMasks = masks > 1;
    if (hasSeveralMasks) {
      const inputs = columnPermutations(this.inputs(D), this.order);
      this.networkOrders = { inputs, outputs: columnPermutations(this.transform.columns(D), this.order) };
    }
    const inputs = this.inputs(hasSeveralMasks ? D : unchanged.length).length;
    const outputs = (hasSeveralMasks ? D : changed.length) * this.transform.parameters;
    this.network = new MLP(inputs, outputs, network, random, context);
  }

  forward(z: Tensor, context?: Tensor): Transformed {
    return this.apply(z, context, "toData");
  }

  inverse(x: Tensor, context?: Tensor): Transformed {
    return this.apply(x, context, "toLatent");
  }

  private apply(u: Tensor, context: Tensor | undefined, direction: "toData" | "toLatent"): Transformed {
    const { features: D, unchanged: K, order, transform } = this;
    requireColumns("context", context, this.context);
    const variant = currentVariant(this.options.masks ?? 1);
    const ordered = order.apply(u, 1, variant);
    const unchanged = K > 0 ? [ordered.gather(1, range(0, K))] : [];
    const inputs = unchanged.map((features) => networkInputs(transform, features));
    const raw = this.networkFor(variant).apply(concat(context ? [...inputs, context] : inputs, 1));
    const { value, logDerivative } = transform[direction](ordered.gather(1, range(K, D)), raw);
    return {
      value: order.applyInverse(concat([...unchanged, value], 1), 1, variant),
      logDet: sumFeatures(logDerivative, D - K),
    };
  }

  /** The feature that each input of a network of `features` features belongs to. */
  private inputs(features: number): number[] {
    return forNetworkInputs(this.transform, range(0, features));
  }

  /**
   * The network for one of the masks. If there are several, it has only the weights of the unchanged inputs and the changed
   * outputs of this mask.
   */
  private networkFor(variant: number | Tensor): Pick<MLP, "apply"> {
    const { network, networkOrders, features: D, unchanged: K, context } = this;
    if (!networkOrders) return network;
    const inputs = this.inputs(D);
    const indicesWhere = (positions: readonly number[], condition: (position: number) => boolean) =>
      positions.flatMap((position, i) => (condition(position) ? [i] : []));
    const rows = indicesWhere(inputs, (position) => position < K);
    const columns = indicesWhere(this.transform.columns(D), (position) => position >= K);
    return network.with((layer, i) => {
      let { weight, bias }: { weight: Tensor; bias: Tensor } = layer;
      if (i === 0) {
        const [ofFeatures, ofContext] = weight.split(0, [inputs.length, context]);
        const used = networkOrders.inputs.apply(ofFeatures, 0, variant).gather(0, rows);
        weight = concat([used, ofContext], 0);
      }
      if (i === network.layers.length - 1) {
        weight = networkOrders.outputs.apply(weight, 1, variant).gather(1, columns);
        bias = networkOrders.outputs.apply(bias, 0, variant).gather(0, columns);
      }
      return { apply: (x) => x.affine(weight, bias) };
    });
  }

  describe(): Description {
    return describeWithTransform(this.options);
  }
}

export const couplingKind: BijectionKind<typeof couplingSchema> = {
  schema: couplingSchema,
  build: ({ type: _, ...options }, random) => new Coupling(options, random),
};

/**
 * The indices of the features that a coupling leaves unchanged and of those that it changes, and a function that joins the two
 * parts in the original order. Throws `ARGUMENT` if there is neither an unchanged feature nor a context.
 */
export function splitByMask(mask: readonly boolean[], context: number) {
  const unchanged = mask.flatMap((isKept, i) => (isKept ? [i] : []));
  const changed = mask.flatMap((isKept, i) => (isKept ? [] : [i]));
  if (unchanged.length + context === 0) {
    throw new PushforwardError(
      "ARGUMENT",
      "a coupling has no unchanged feature and no context to condition on",
      {
        hint: "Use an autoregressive bijection, or set the mask of a feature to true.",
      },
    );
  }
  const positions = inversePermutation([...unchanged, ...changed]);
  const join = (parts: readonly Tensor[]) => concat(parts, 1).gather(1, positions);
  return { unchanged, changed, join };
}

/** A mask that alternates between true and false, and starts with `first`. */
export const alternatingMask = (features: number, first = true): boolean[] =>
  Array.from({ length: features }, (_, i) => (i % 2 === 0) === first);

/** A random mask with floor(D / 2) unchanged features. */
export function randomMask(features: number, random: Random): boolean[] {
  const mask = new Array<boolean>(features).fill(false);
  for (const feature of random.permutation(features).slice(0, Math.floor(features / 2))) mask[feature] = true;
  return mask;
}

const range = (start: number, end: number): number[] =>
  Array.from({ length: end - start }, (_, i) => start + i);
