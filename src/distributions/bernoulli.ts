import * as z from "zod/mini";
import type { DataRows } from "../bijections/index.ts";
import { parse } from "../check/index.ts";
import { LOGARITHM, Parameter, scoped, type Tensor } from "../graph/index.ts";
import { MLP, type NetworkOptions, networkSchema } from "../nn/index.ts";
import { countSchema, sizeSchema } from "../parts/index.ts";
import { Random } from "../random/index.ts";
import {
  type Atoms,
  type Distribution,
  type DistributionKind,
  type Noise,
  onSupport,
} from "./distribution.ts";

const bernoulliSchema = z.strictObject({
  type: z.literal("bernoulli"),
  features: sizeSchema,
  context: z._default(countSchema, 0),
  /** Used only if `context` is positive. */
  network: z.prefault(networkSchema, {}),
});

/** Options of `Bernoulli`. */
export interface BernoulliOptions {
  /** D, the number of features. */
  features: number;
  /** C, the number of context features. Default 0: an unconditional distribution. */
  context?: number | undefined;
  /** The network that computes logits from the context. Default two hidden layers of 64 units with relu. */
  network?: NetworkOptions | undefined;
}

/**
 * Independent features that are 0 or 1, with learned logits l: log P(x) = sum(x l - softplus(l)), in nats, and -Infinity for other
 * numbers. With C context features it is P(x | context): l is the sum of learned numbers and the outputs of a network of the context.
 * It is the decoder of black and white images in a variational autoencoder. The last layer of its network is not initialized to 0,
 * because the first gradients of the encoder would then be 0.
 */
export class Bernoulli implements Distribution {
  readonly features: number;
  readonly context: number;
  readonly noise: readonly Noise[];
  readonly logits: Parameter;
  readonly network: MLP | undefined;
  readonly values = 2;
  readonly support = { description: "zeros and ones" };

  /** `random` draws the initial weights of the network. Throws `ARGUMENT` if the options are not valid. */
  constructor(options: BernoulliOptions, random = new Random(0)) {
    const description = { type: "bernoulli", ...options };
    const { features, context, network } = parse(bernoulliSchema, description, "a Bernoulli distribution");
    this.features = features;
    this.context = context;
    this.noise = [{ kind: "uniform", size: features }];
    this.logits = new Parameter([features], 0, { domain: LOGARITHM });
    if (context > 0) this.network = new MLP(context, features, network, random, 0, { zeroInit: false });
  }

  get atoms(): readonly Atoms[] {
    return new Array(this.features).fill("all");
  }

  logProb(x: Tensor, context?: Tensor): Tensor {
    const logits = this.logitsFor(context);
    const isOne = x.equal(1);
    const isValue = isOne.or(x.equal(0));
    // log sigmoid(l) for a one, log sigmoid(-l) for a zero.
    const logProb = isOne.where(logits, logits.neg()).neg().softplus().sum(-1).neg();
    return onSupport(x, isValue, logProb);
  }

  sample([uniform]: readonly Tensor[], context?: Tensor): Tensor {
    return uniform.less(this.center(context)).toFloat();
  }

  /** The probabilities of ones, which are the means: [D], or [N, D] for a conditional distribution. */
  center(context?: Tensor): Tensor {
    return this.logitsFor(context).sigmoid();
  }

  private logitsFor(context: Tensor | undefined): Tensor {
    const { logits, network } = this;
    return network ? logits.add(scoped("network", () => network.apply(context!))) : logits;
  }

  /**
   * Sets the logits to log(f / (1 - f)) for the frequencies f of ones among zeros and ones, after adding one row of zeros and one row of
   * ones. Other values, which have the probability 0, are not counted.
   */
  fitToData({ rows, features, values, weights }: DataRows): void {
    const [zeros, ones] = [0, 1].map(() => new Float64Array(features).fill(1));
    for (let n = 0; n < rows; n++) {
      const weight = weights?.[n] ?? 1;
      for (let d = 0; d < features; d++) {
        const value = values[n * features + d];
        if (value === 0) zeros[d] += weight;
        if (value === 1) ones[d] += weight;
      }
    }
    this.logits.value = Float32Array.from(ones, (sum, d) => Math.log(sum / zeros[d]));
  }

  describe() {
    const { features, context, network } = this;
    return { type: "bernoulli", features, ...(network && { context, network: network.options }) };
  }
}

export const bernoulliKind: DistributionKind<typeof bernoulliSchema> = {
  schema: bernoulliSchema,
  build: ({ type: _, ...options }, random) => new Bernoulli(options, random),
};
