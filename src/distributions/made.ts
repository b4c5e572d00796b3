import * as z from "zod/mini";
import { blockColumns, identityOrder, orderSchema, type Support } from "../bijections/index.ts";
import { parse } from "../check/index.ts";
import { concat, scoped, type Tensor } from "../graph/index.ts";
import {
  AxisPermutations,
  drawPermutations,
  inversePermutation,
  MaskedMLP,
  type MaskVariant,
  MaskVariants,
  type NetworkOptions,
  networkSchema,
  singleVariant,
  variantCountSchema,
} from "../nn/index.ts";
import { countSchema, sizeSchema } from "../parts/index.ts";
import { Random } from "../random/index.ts";
import {
  type Atoms,
  type Distribution,
  type DistributionKind,
  type Noise,
  onSupport,
} from "./distribution.ts";
import { bernoulli, gaussian, type MadeOutputs, mixture } from "./madeOutputs.ts";

const madeSchema = z.strictObject({
  type: z.literal("made"),
  order: orderSchema,
  context: z._default(countSchema, 0),
  outputs: z._default(z.enum(["bernoulli", "gaussian", "mixture"]), "gaussian"),
  components: z._default(sizeSchema, 10),
  hiddenOrder: z._default(z.enum(["natural", "random"]), "natural"),
  seed: z._default(z.int().check(z.nonnegative()), 0),
  masks: z._default(variantCountSchema, 1),
  orderAgnostic: z._default(z.boolean(), false),
  direct: z._default(z.boolean(), false),
  network: z.prefault(networkSchema, {}),
});

/** Options of `Made`. */
export interface MadeOptions {
  /** [D] the autoregressive ordering: `order[k]` is the feature at position k. */
  order: number[];
  /** C, the number of context features. Default 0. */
  context?: number | undefined;
  /** The distribution of each feature given the features before it. Default `gaussian`. */
  outputs?: "bernoulli" | "gaussian" | "mixture" | undefined;
  /** Number of Gaussians of each feature, for the outputs `mixture`. Default 10. */
  components?: number | undefined;
  /**
   * Degrees of the hidden units: evenly spaced (`natural`), or drawn with `seed` (`random`). Default `natural`.
   */
  hiddenOrder?: "natural" | "random" | undefined;
  /** Seed of random degrees, masks and orderings. Default 0. */
  seed?: number | undefined;
  /**
   * M, the number of masks that share the weights, at most 256. The first mask follows from the options above, and the
   * others are drawn with `seed`. Default 1.
   */
  masks?: number | undefined;
  /** Whether each mask has a different random ordering of the features. Has no effect without several `masks`. Default false. */
  orderAgnostic?: boolean | undefined;
  /** Whether there are direct weights from the inputs to the outputs. Default false. */
  direct?: boolean | undefined;
  /** The network that computes the parameters of the conditionals. Default two hidden layers of 64 units with relu. */
  network?: NetworkOptions | undefined;
}

/**
 * Masked autoencoder for distribution estimation (Germain et al. 2015): p(x) = prod_k p(x_k | x_1 ... x_k-1, context), where one
 * pass of a masked network computes the parameters of all conditionals. The option `outputs` chooses the conditionals:
 *
 * - `bernoulli`: for binary data; log p is a log-probability, and -Infinity for values other than 0 and 1
 * - `gaussian`: a mean and a deviation for each feature; the density is that of one MAF layer
 * - `mixture`: K Gaussians for each feature, MADE MoG (Papamakarios et al. 2017); as the base distribution of MAF layers it is
 *   MAF MoG
 *
 * The initial conditionals are Bernoulli(1/2), standard normal, or a mixture with mean 0 and deviation 1. Sampling computes the
 * features one after the other and each hidden unit once, so it has about as many operations as one pass, in D steps.
 *
 * With several `masks` the training is connectivity-agnostic, and with `orderAgnostic` also order-agnostic (sections 4.2 and 4.3
 * of the paper): each batch uses one of the M masks. `logProb` and `sample` use the first mask, and an `Ensemble` averages over
 * all masks. A random mask permutes the hidden units of each layer, so all masks have the same number of units per degree.
 */
export class Made implements Distribution {
  readonly features: number;
  readonly context: number;
  readonly noise: readonly Noise[];
  readonly network: MaskedMLP;
  /** One masked layer from inputs to outputs, which is added to the network. */
  readonly direct: MaskedMLP | undefined;
  private readonly options: z.output<typeof madeSchema>;
  private readonly outputs: MadeOutputs;
  /** The ordering in the masks of the networks. With several masks, inputs are permuted instead, and this is the identity. */
  private readonly order: readonly number[];
  /** The permutations of each network's units for all masks; empty for a single mask. */
  private readonly maskVariants: readonly MaskVariants[];

  /** Throws `ARGUMENT` if the options are invalid. */
  constructor(options: MadeOptions, random: Random) {
    this.options = parse(madeSchema, { type: "made", ...options }, "a MADE");
    const { order, context, outputs, components, hiddenOrder, seed, direct, network } = this.options;
    const { masks, orderAgnostic } = this.options;
    const severalMasks = masks > 1;
    this.features = order.length;
    this.order = severalMasks ? identityOrder(order.length) : order;
    this.context = context;
    this.outputs = { bernoulli, gaussian, mixture: mixture(components) }[outputs];
    this.noise = this.outputs.noise(this.features);
    const degree = inversePermutation(this.order).map((position) => position + 1);
    const featureOfOutput = blockColumns(this.features, this.outputs.parameters);
    const autoregression = {
      inputDegrees: degree,
      outputDegrees: featureOfOutput.map((feature) => degree[feature]),
      context,
      dense: severalMasks,
      ...(hiddenOrder === "random" && { hiddenDegrees: new Random(seed).split("degrees") }),
    };
    this.network = new MaskedMLP(autoregression, network, random);
    if (direct)
      this.direct = new MaskedMLP(autoregression, { ...network, hidden: [] }, random.split("direct"));
    const maskRandom = new Random(seed).split("masks");
    const hidden = maskRandom.split("hidden");
    const features = orderAgnostic
      ? drawPermutations(order, masks, maskRandom.split("order"))
      : new AxisPermutations(new Array(masks).fill(order));
    this.maskVariants = severalMasks
      ? this.networks().map(
          (network) => new MaskVariants(network, { features, columns: featureOfOutput, hidden }),
        )
      : [];
  }

  get support(): Support | undefined {
    return this.outputs.support && { description: "zeros and ones" };
  }

  /** 2 for the outputs `bernoulli`, as for `Bernoulli`. */
  get values(): number | undefined {
    return this.outputs.support && 2;
  }

  get atoms(): readonly Atoms[] | undefined {
    return this.outputs.support && new Array(this.features).fill("all");
  }

  logProb(x: Tensor, context?: Tensor): Tensor {
    const inside = this.outputs.support?.(x);
    const valid = inside ? inside.where(x, 0) : x;
    const variants = this.variants();
    const ordered = variants[0].toNetworkOrder(valid);
    const parameters = variants
      .map(({ network }, i) => scoped(["network", "direct"][i], () => network.apply(ordered, context)))
      .reduce((a, b) => a.add(b));
    const logProb = this.outputs.logProb(ordered, parameters).sum(1);
    return inside ? onSupport(x, inside, logProb) : logProb;
  }

  sample(noise: readonly Tensor[], context?: Tensor): Tensor {
    const variants = this.variants();
    const networks = variants.map(({ network }) => network.incremental(context));
    const values: Tensor[] = new Array(this.features);
    this.order.forEach((feature, k) => {
      const parameters = networks.map((network) => network.outputs(k + 1)).reduce((a, b) => a.add(b));
      const featureNoise = noise.map((columns) => columns.slice(1, feature, feature + 1));
      const value = this.outputs.sample(featureNoise, parameters);
      values[feature] = value;
      if (k < this.features - 1) for (const network of networks) network.addInputs(k + 1, value);
    });
    return variants[0].toFeatureOrder(concat(values, 1));
  }

  private networks(): MaskedMLP[] {
    return this.direct ? [this.network, this.direct] : [this.network];
  }

  /** The networks with the current mask: in a training step or an ensemble, the mask of the variant that is being traced. */
  private variants(): MaskVariant[] {
    return this.networks().map(
      (network, i) => this.maskVariants[i]?.current(network) ?? singleVariant(network),
    );
  }

  describe() {
    return this.options;
  }
}

export const madeKind: DistributionKind<typeof madeSchema> = {
  schema: madeSchema,
  build: ({ type: _, ...options }, random) => new Made(options, random),
};
