import * as z from "zod/mini";
import { countSchema } from "../description.ts";
import { PushforwardError } from "../errors.ts";
import { concat, type Tensor } from "../graph/tensor.ts";
import { variantOf } from "../graph/tracing/variant.ts";
import { MLP, type NetworkOptions, networkSchema } from "../nn/mlp.ts";
import { columnOrders, drawnOrders, inverseOrder, type Orders, variantsSchema } from "../nn/numberings.ts";
import { parse } from "../parse.ts";
import { Random } from "../random/index.ts";
import {
  type Bijection,
  type BijectionKind,
  type Description,
  sumFeatures,
  type Transformed,
} from "./bijection.ts";
import { buildScalarTransform, describeWithTransform, scalarTransformSchema } from "./scalar/build.ts";
import type { ScalarTransformOptions } from "./scalar/registry.ts";
import { networkInputs, type ScalarTransform } from "./scalar/scalarTransform.ts";

/** True where a feature is kept and conditions the others. */
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
  masks: z.optional(variantsSchema),
  seed: z.optional(z.int().check(z.nonnegative())),
});

/** Options of `Coupling`. */
export interface CouplingOptions {
  /** [D], true for the features that are kept; at least one is false. */
  mask: boolean[];
  /** C, the number of context features. Default 0: an unconditional map. */
  context?: number;
  /** The map of one variable that is applied to each feature, by its options or one of your own. Default `{ type: "affine" }`. */
  transform?: ScalarTransformOptions | ScalarTransform;
  /** The network that computes the parameters. Default two hidden layers of 64 units with relu. */
  network?: NetworkOptions;
  /**
   * M, the number of masks that share the weights, at most 256: the first is `mask`, the others keep as many features
   * and are drawn by `seed`. Default 1.
   */
  masks?: number;
  /** Seed of the other masks. Default 0. */
  seed?: number;
}

/**
 * Keeps some features and transforms the others by parameters that a network computes from the kept ones and the
 * context: NICE with the additive transform (Dinh et al. 2015), RealNVP with the affine one (Dinh et al. 2017), the
 * coupling neural spline flow with the spline (Durkan et al. 2019). Both directions cost one pass of the network.
 *
 * With several `masks` the batches of a training take them in a cycle, and the network has inputs and outputs for
 * all features, of which it uses those that the mask calls for. Evaluated by itself it has the first mask.
 */
export class Coupling implements Bijection {
  readonly features: number;
  readonly context: number;
  readonly network: MLP;
  private readonly options: z.output<typeof couplingSchema>;
  private readonly transform: ScalarTransform;
  /** Number of features that a mask keeps. */
  private readonly kept: number;
  /** The features under each mask, the kept ones first. */
  private readonly order: Orders;
  /** Inputs and outputs of the network under each mask, if there are several. */
  private readonly places: { readonly rows: Orders; readonly columns: Orders } | undefined;

  /** Throws `ARGUMENT` if the options do not fit, or leave nothing to condition on. */
  constructor(options: CouplingOptions, random: Random) {
    this.options = parse(couplingSchema, { type: "coupling", ...options }, "a coupling");
    const { mask, context, transform, network, masks = 1, seed = 0 } = this.options;
    const D = mask.length;
    this.features = D;
    this.context = context;
    this.transform = buildScalarTransform(transform);
    const { kept, changed } = splitByMask(mask, context);
    this.kept = kept.length;
    this.order = drawnOrders([...kept, ...changed], masks, new Random(seed).split("masks"));
    const several = masks > 1;
    if (several) {
      const rows = columnOrders(this.inputs(D), this.order);
      this.places = { rows, columns: columnOrders(this.transform.columns(D), this.order) };
    }
    const inputs = this.inputs(several ? D : kept.length).length;
    const outputs = (several ? D : changed.length) * this.transform.parameters;
    this.network = new MLP(inputs, outputs, network, random, context);
  }

  forward(z: Tensor, context?: Tensor): Transformed {
    return this.apply(z, context, "toData");
  }

  inverse(x: Tensor, context?: Tensor): Transformed {
    return this.apply(x, context, "toLatent");
  }

  private apply(u: Tensor, context: Tensor | undefined, direction: "toData" | "toLatent"): Transformed {
    const { features: D, kept: K, order, transform } = this;
    const variant = variantOf(this.options.masks ?? 1);
    const placed = order.apply(u, 1, variant);
    const kept = K > 0 ? [placed.gather(1, range(0, K))] : [];
    const seen = kept.map((features) => networkInputs(transform, features));
    const raw = this.networkFor(variant).apply(concat(context ? [...seen, context] : seen, 1));
    const { value, logDerivative } = transform[direction](placed.gather(1, range(K, D)), raw);
    return {
      value: order.undo(concat([...kept, value], 1), 1, variant),
      logDet: sumFeatures(logDerivative, D - K),
    };
  }

  /** The feature of each input of a network of so many features. */
  private inputs(features: number): number[] {
    const natural = range(0, features);
    return this.transform.angles ? [...natural, ...natural] : natural;
  }

  /** From the kept features and the context to the parameters of the others: of several masks a part of the network. */
  private networkFor(variant: number | Tensor): Pick<MLP, "apply"> {
    const { network, places, features: D, kept: K, context } = this;
    if (!places) return network;
    const inputs = this.inputs(D);
    const where = (list: readonly number[], holds: (place: number) => boolean) =>
      list.flatMap((place, i) => (holds(place) ? [i] : []));
    const rows = where(inputs, (place) => place < K);
    const columns = where(this.transform.columns(D), (place) => place >= K);
    return network.with((layer, i) => {
      let { weight, bias }: { weight: Tensor; bias: Tensor } = layer;
      if (i === 0) {
        const [own, ofContext] = weight.split(0, [inputs.length, context]);
        weight = concat([places.rows.apply(own, 0, variant).gather(0, rows), ofContext], 0);
      }
      if (i === network.layers.length - 1) {
        weight = places.columns.apply(weight, 1, variant).gather(1, columns);
        bias = places.columns.apply(bias, 0, variant).gather(0, columns);
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
 * Which features a coupling keeps and changes, and how the two parts are put together again.
 * Throws `ARGUMENT` if there is nothing to condition on.
 */
export function splitByMask(mask: readonly boolean[], context: number) {
  const kept = mask.flatMap((keep, i) => (keep ? [i] : []));
  const changed = mask.flatMap((keep, i) => (keep ? [] : [i]));
  if (kept.length + context === 0) {
    throw new PushforwardError("ARGUMENT", "a coupling keeps no feature and has no context to condition on", {
      hint: "Keep at least one feature, or use an autoregressive bijection for a single one.",
    });
  }
  const places = inverseOrder([...kept, ...changed]);
  const join = (own: readonly Tensor[], value: Tensor) => concat([...own, value], 1).gather(1, places);
  return { kept, changed, join };
}

/** True, false, true, ... starting with `first`. */
export const alternatingMask = (features: number, first = true): boolean[] =>
  Array.from({ length: features }, (_, i) => (i % 2 === 0) === first);

/** Half of the features, rounded down, kept at random. */
export function randomMask(features: number, random: Random): boolean[] {
  const mask = new Array<boolean>(features).fill(false);
  for (const feature of random.permutation(features).slice(0, Math.floor(features / 2))) mask[feature] = true;
  return mask;
}

const range = (start: number, end: number): number[] =>
  Array.from({ length: end - start }, (_, i) => start + i);
