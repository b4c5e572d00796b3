import { z } from "zod";
import { PushforwardError } from "../errors.ts";
import { concat, type Tensor } from "../graph/tensor.ts";
import { variantOf } from "../graph/variant.ts";
import { MLP, networkSchema } from "../nn/mlp.ts";
import { columnOrders, drawnOrders, type Orders } from "../nn/numberings.ts";
import { parse } from "../parse.ts";
import { Random } from "../random/index.ts";
import {
  type Bijection,
  type BijectionKind,
  type Description,
  sumFeatures,
  type Transformed,
} from "./bijection.ts";
import { buildScalarTransform, scalarTransformExamples, scalarTransformSchema } from "./scalar/build.ts";
import type { ScalarTransform } from "./scalar/scalarTransform.ts";

const couplingSchema = z.strictObject({
  type: z.literal("coupling"),
  /** True where a feature is kept and conditions the others. */
  mask: z
    .array(z.boolean())
    .min(1)
    .refine((mask) => mask.includes(false), { error: "at least one feature to transform (false)" }),
  context: z.int().nonnegative().default(0),
  transform: scalarTransformSchema.default({ type: "affine" }),
  network: networkSchema.prefault({}),
  /** M, the number of masks that share the weights: the first is `mask`, the others keep as many features, drawn by `seed`. */
  masks: z.int().positive().optional(),
  seed: z.int().nonnegative().optional(),
});

export type CouplingOptions = Omit<z.input<typeof couplingSchema>, "type">;

/**
 * Keeps some features and transforms the others by parameters that a network computes from the kept ones and the
 * context: NICE with the additive transform (Dinh et al. 2015), RealNVP with the affine one (Dinh et al. 2017), the
 * coupling neural spline flow with the spline (Durkan et al. 2019). Both directions cost one pass of the network.
 *
 * With several `masks` each batch of a training takes one of them, at random, and the network has inputs and outputs for
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
  /** The columns of the network's output under each mask, if there are several. */
  private readonly columns: Orders | undefined;

  /** Throws `ARGUMENT` if the options do not fit, or leave nothing to condition on. */
  constructor(options: CouplingOptions, random: Random) {
    this.options = parse(couplingSchema, { type: "coupling", ...options }, "a coupling");
    const { mask, context, transform, network, masks = 1, seed = 0 } = this.options;
    const D = mask.length;
    this.features = D;
    this.context = context;
    this.transform = buildScalarTransform(transform);
    this.kept = mask.filter((keep) => keep).length;
    if (this.kept + context === 0) {
      throw new PushforwardError(
        "ARGUMENT",
        "a coupling keeps no feature and has no context to condition on",
        {
          mend: "Keep at least one feature, or use an autoregressive bijection for a single one.",
        },
      );
    }
    const first = [true, false].flatMap((kept) => range(0, D).filter((i) => mask[i] === kept));
    this.order = drawnOrders(first, masks, new Random(seed).split("masks"));
    const several = masks > 1;
    if (several) this.columns = columnOrders(this.transform.columns(D), this.order);
    const [inputs, outputs] = several ? [D, D] : [this.kept, D - this.kept];
    this.network = new MLP(inputs, outputs * this.transform.parameters, network, random, context);
  }

  forward(z: Tensor, context?: Tensor): Transformed {
    return this.apply(z, context, "toData");
  }

  inverse(x: Tensor, context?: Tensor): Transformed {
    return this.apply(x, context, "toLatent");
  }

  private apply(u: Tensor, context: Tensor | undefined, direction: "toData" | "toLatent"): Transformed {
    const { features: D, kept: K, order } = this;
    const variant = variantOf(this.options.masks ?? 1);
    const placed = order.apply(u, 1, variant);
    const kept = K > 0 ? [placed.gather(1, range(0, K))] : [];
    const given = context ? [...kept, context] : kept;
    const raw = this.networkFor(variant).apply(concat(given, 1));
    const { value, logDerivative } = this.transform[direction](placed.gather(1, range(K, D)), raw);
    return {
      value: order.undo(concat([...kept, value], 1), 1, variant),
      logDet: sumFeatures(logDerivative, D - K),
    };
  }

  /** From the kept features and the context to the parameters of the others: of several masks a part of the network. */
  private networkFor(variant: number | Tensor): Pick<MLP, "apply"> {
    const { network, order, columns, features: D, kept: K } = this;
    if (!columns) return network;
    const used = this.transform.columns(D).flatMap((place, column) => (place >= K ? [column] : []));
    return network.with((layer, i) => {
      let { weight, bias }: { weight: Tensor; bias: Tensor } = layer;
      if (i === 0) {
        const own = order.apply(weight.slice(0, 0, D), 0, variant).slice(0, 0, K);
        weight = concat([own, weight.slice(0, D, D + this.context)], 0);
      }
      if (i === network.layers.length - 1) {
        weight = columns.apply(weight, 1, variant).gather(1, used);
        bias = columns.apply(bias, 0, variant).gather(0, used);
      }
      return { apply: (x) => x.affine(weight, bias) };
    });
  }

  describe(): Description {
    return this.options;
  }
}

export const couplingKind: BijectionKind<typeof couplingSchema> = {
  schema: couplingSchema,
  about: {
    name: "coupling",
    formula: "z_b = T(x_b; theta(x_a)), z_a = x_a",
    paper: "Dinh et al. 2015; Dinh et al. 2017",
    density: "closed form",
    sampling: "closed form",
  },
  build: ({ type: _, ...options }, random) => new Coupling(options, random),
  examples(features) {
    const network = { hidden: [8] };
    const one = features === 1;
    const conditional = scalarTransformExamples().map((transform) => ({
      type: "coupling" as const,
      mask: alternatingMask(features, one ? false : features % 2 === 0),
      context: 2,
      transform,
      network,
    }));
    if (one) return conditional;
    const unconditional = scalarTransformExamples().map((transform) => ({
      type: "coupling" as const,
      mask: alternatingMask(features),
      transform,
      network,
    }));
    return [
      ...unconditional,
      ...conditional,
      {
        type: "coupling",
        mask: [...new Array(features - 1).fill(true), false],
        network: { hidden: [6, 6, 6], residual: true, activation: "silu" },
      },
      { type: "coupling", mask: new Array(features).fill(false), context: 1, network: { hidden: [] } },
      {
        type: "coupling",
        mask: alternatingMask(features),
        context: 1,
        transform: { type: "rationalQuadraticSpline", bins: 3 },
        network: { hidden: [7, 7], activation: "tanh" },
        masks: 3,
        seed: 1,
      },
    ];
  },
};

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
