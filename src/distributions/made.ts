import * as z from "zod/mini";
import { identityOrder, orderSchema } from "../bijections/permutation.ts";
import { blockColumns } from "../bijections/scalar/scalarTransform.ts";
import type { Support } from "../bijections/support.ts";
import { countSchema, sizeSchema } from "../description.ts";
import { concat, type Tensor } from "../graph/tensor.ts";
import { scoped } from "../graph/tracing/scope.ts";
import { MaskedMLP } from "../nn/maskedMLP.ts";
import { type NetworkOptions, networkSchema } from "../nn/mlp.ts";
import {
  drawnOrders,
  inverseOrder,
  Numberings,
  Orders,
  single,
  type Variant,
  variantsSchema,
} from "../nn/numberings.ts";
import { parse } from "../parse.ts";
import { Random } from "../random/index.ts";
import { type Distribution, type DistributionKind, type Noise, onSupport } from "./distribution.ts";
import { bernoulli, gaussian, type MadeOutputs, mixture } from "./madeOutputs.ts";

const madeSchema = z.strictObject({
  type: z.literal("made"),
  order: orderSchema,
  context: z._default(countSchema, 0),
  outputs: z._default(z.enum(["bernoulli", "gaussian", "mixture"]), "gaussian"),
  components: z._default(sizeSchema, 10),
  hiddenOrder: z._default(z.enum(["natural", "random"]), "natural"),
  seed: z._default(z.int().check(z.nonnegative()), 0),
  masks: z._default(variantsSchema, 1),
  orderAgnostic: z._default(z.boolean(), false),
  direct: z._default(z.boolean(), false),
  network: z.prefault(networkSchema, {}),
});

/** Options of `Made`. */
export interface MadeOptions {
  /** [D]: `order[k]` is the feature that comes k-th. */
  order: number[];
  /** C, the number of context features. Default 0. */
  context?: number;
  /** The distribution of each feature given those before it. Default `gaussian`. */
  outputs?: "bernoulli" | "gaussian" | "mixture";
  /** Gaussians of each feature; only of the outputs `mixture`. Default 10. */
  components?: number;
  /**
   * `natural` spreads the degrees of hidden units evenly, `random` draws them by `seed`. Default `natural`.
   */
  hiddenOrder?: "natural" | "random";
  /** Seed of degrees and of the other masks. Default 0. */
  seed?: number;
  /**
   * M, the number of masks that share the weights, at most 256: the first follows from the options above, the others
   * are drawn by `seed`. Default 1.
   */
  masks?: number;
  /** Whether each of the masks has an order of its own too. Default false. */
  orderAgnostic?: boolean;
  /** Whether there are weights from the inputs straight to the outputs. Default false. */
  direct?: boolean;
  /** The network that computes the parameters. Default two hidden layers of 64 units with relu. */
  network?: NetworkOptions;
}

/**
 * The masked autoencoder for distribution estimation (Germain et al. 2015): p(x) = prod_k p(x_k | x_1 ... x_k-1, context),
 * the parameters of all conditionals from one pass of a masked network.
 *
 * - `bernoulli`: binary data, 0 or 1; log p is a log-probability, and -Infinity for other numbers
 * - `gaussian`: a mean and a deviation each; as a density, one layer of MAF
 * - `mixture`: C Gaussians each, MADE MoG (Papamakarios et al. 2017), which under MAF layers makes MAF MoG
 *
 * It starts with fair coins, standard normals, or a mixture of mean 0 and deviation 1. Sampling goes feature by feature but
 * computes each hidden unit once, so it costs about one pass too.
 *
 * With several `masks` it is trained for connectivity, and with `orderAgnostic` for orders too (sections 4.2 and 4.3 of the
 * paper): the batches take the M masks in turn. Evaluated by itself it is the first of them; an `Ensemble` is the
 * average over all. A drawn mask numbers the hidden units anew, and the degrees of all together stay as they are.
 */
export class Made implements Distribution {
  readonly features: number;
  readonly context: number;
  readonly noise: readonly Noise[];
  readonly network: MaskedMLP;
  /** One masked layer, whose outputs add to those of the network. */
  readonly direct: MaskedMLP | undefined;
  private readonly options: z.output<typeof madeSchema>;
  private readonly outputs: MadeOutputs;
  /** The order of the features as the networks take them. */
  private readonly order: readonly number[];
  /** Of each network, where there are several masks. */
  private readonly numberings: readonly Numberings[];

  /** Throws `ARGUMENT` if the options do not fit. */
  constructor(options: MadeOptions, random: Random) {
    this.options = parse(madeSchema, { type: "made", ...options }, "a MADE");
    const { order, context, outputs, components, hiddenOrder, seed, direct, network } = this.options;
    const { masks, orderAgnostic } = this.options;
    const whole = masks > 1;
    this.features = order.length;
    this.order = whole ? identityOrder(order.length) : order;
    this.context = context;
    this.outputs = { bernoulli, gaussian, mixture: mixture(components) }[outputs];
    this.noise = this.outputs.noise(this.features);
    const degree = inverseOrder(this.order).map((place) => place + 1);
    const columns = blockColumns(this.features, this.outputs.parameters);
    const autoregression = {
      inputDegrees: degree,
      outputDegrees: columns.map((feature) => degree[feature]),
      context,
      whole,
      ...(hiddenOrder === "random" && { hiddenDegrees: new Random(seed).split("degrees") }),
    };
    this.network = new MaskedMLP(autoregression, network, random);
    if (direct)
      this.direct = new MaskedMLP(autoregression, { ...network, hidden: [] }, random.split("direct"));
    const own = new Random(seed).split("masks");
    const hidden = own.split("hidden");
    const features = orderAgnostic
      ? drawnOrders(order, masks, own.split("order"))
      : new Orders(new Array(masks).fill(order));
    this.numberings = whole
      ? this.networks().map((n) => new Numberings(n, { features, columns, hidden }))
      : [];
  }

  get support(): Support | undefined {
    return this.outputs.support && { description: "0 and 1" };
  }

  logProb(x: Tensor, context?: Tensor): Tensor {
    const inside = this.outputs.support?.(x);
    const seen = inside ? inside.where(x, 0) : x;
    const variants = this.variants();
    const placed = variants[0].toOrder(seen);
    const raw = variants
      .map(({ network }, i) => scoped(["network", "direct"][i], () => network.apply(placed, context)))
      .reduce((a, b) => a.add(b));
    const logProb = this.outputs.logProb(placed, raw).sum(1);
    return inside ? onSupport(x, inside, logProb) : logProb;
  }

  sample(noise: readonly Tensor[], context?: Tensor): Tensor {
    const variants = this.variants();
    const networks = variants.map(({ network }) => network.incremental(context));
    const values: Tensor[] = new Array(this.features);
    this.order.forEach((feature, k) => {
      const raw = networks.map((network) => network.outputs(k + 1)).reduce((a, b) => a.add(b));
      const own = noise.map((columns) => columns.slice(1, feature, feature + 1));
      const value = this.outputs.sample(own, raw);
      values[feature] = value;
      if (k < this.features - 1) for (const network of networks) network.feed(k + 1, value);
    });
    return variants[0].toFeatures(concat(values, 1));
  }

  private networks(): MaskedMLP[] {
    return this.direct ? [this.network, this.direct] : [this.network];
  }

  /** Each network under the mask that is traced now. */
  private variants(): Variant[] {
    return this.networks().map((network, i) => this.numberings[i]?.current(network) ?? single(network));
  }

  describe() {
    return this.options;
  }
}

export const madeKind: DistributionKind<typeof madeSchema> = {
  schema: madeSchema,
  build: ({ type: _, ...options }, random) => new Made(options, random),
};
