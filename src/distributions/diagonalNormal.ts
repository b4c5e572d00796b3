import * as z from "zod/mini";
import { parse } from "../check/index.ts";
import { LOGARITHM, Parameter, scoped, type Tensor } from "../graph/index.ts";
import { MLP, type NetworkOptions, networkSchema } from "../nn/index.ts";
import { LOG_BOUND } from "../numerics/index.ts";
import { countSchema, sizeSchema } from "../parts/index.ts";
import { Random } from "../random/index.ts";
import {
  type Distribution,
  type DistributionKind,
  gaussianExponent,
  HALF_LOG_2_PI,
  type Noise,
} from "./distribution.ts";

const diagonalNormalSchema = z.strictObject({
  type: z.literal("diagonalNormal"),
  features: sizeSchema,
  context: z._default(countSchema, 0),
  /** Used only if `context` is positive. */
  network: z.prefault(networkSchema, {}),
  /** Used only if `context` is positive. */
  zeroInit: z._default(z.boolean(), true),
});

/**
 * Independent normal distributions of D features with learned means m and log-deviations s:
 * log p(x) = -sum((x - m)^2 exp(-2 s) / 2 + s + log(2 pi) / 2). The sum of squares is clamped, see `gaussianExponent`.
 *
 * With C context features it is p(x | context): a network computes two terms of each feature from the context. The first is added to m; the
 * second is clamped smoothly to ±log 1000 and added to s. The output of the network is initially 0, so the initial distribution is standard
 * normal for all contexts. With `zeroInit: false` it has random initial weights. A variational autoencoder needs them: otherwise the first
 * gradients of its encoder would be 0.
 */
export class DiagonalNormal implements Distribution {
  readonly features: number;
  readonly context: number;
  readonly noise: readonly Noise[];
  readonly mean: Parameter;
  readonly logDeviation: Parameter;
  readonly network: MLP | undefined;
  private readonly zeroInit: boolean;

  /**
   * `context` is C. Default 0: an unconditional distribution, without a network. `zeroInit` is true by default, and the network has two
   * hidden layers of 64 units with relu. `random` draws its initial weights. Throws `ARGUMENT` if the options are not valid.
   */
  constructor(
    options: { features: number; context?: number; network?: NetworkOptions; zeroInit?: boolean },
    random = new Random(0),
  ) {
    const description = { type: "diagonalNormal", ...options };
    const { features, context, network, zeroInit } = parse(
      diagonalNormalSchema,
      description,
      "a diagonal normal distribution",
    );
    this.features = features;
    this.context = context;
    this.zeroInit = zeroInit;
    this.noise = [{ kind: "normal", size: features }];
    this.mean = new Parameter([features], 0);
    this.logDeviation = new Parameter([features], 0, { domain: LOGARITHM });
    if (context > 0) this.network = new MLP(context, 2 * features, network, random, 0, { zeroInit });
  }

  logProb(x: Tensor, context?: Tensor): Tensor {
    const { mean, logDeviation } = this.parametersFor(context);
    const z = x.sub(mean).mul(logDeviation.neg().exp());
    return gaussianExponent(z)
      .sub(logDeviation.sum(-1))
      .sub(this.features * HALF_LOG_2_PI);
  }

  sample([normal]: readonly Tensor[], context?: Tensor): Tensor {
    const { mean, logDeviation } = this.parametersFor(context);
    return normal.mul(logDeviation.exp()).add(mean);
  }

  /** The means: [D], or [N, D] for a conditional distribution. */
  center(context?: Tensor): Tensor {
    return this.parametersFor(context).mean;
  }

  /** Means and log-deviations, [D], or [N, D] for a conditional distribution. */
  private parametersFor(context: Tensor | undefined): { mean: Tensor; logDeviation: Tensor } {
    const { features: D, mean, logDeviation, network } = this;
    if (!network) return { mean, logDeviation };
    const [shift, logScale] = scoped("network", () => network.apply(context!)).split(1, [D, D]);
    return { mean: mean.add(shift), logDeviation: logDeviation.add(logScale.softClamp(LOG_BOUND)) };
  }

  describe() {
    const { features, context, network, zeroInit } = this;
    return {
      type: "diagonalNormal",
      features,
      ...(network && { context, network: network.options, ...(!zeroInit && { zeroInit }) }),
    };
  }
}

export const diagonalNormalKind: DistributionKind<typeof diagonalNormalSchema> = {
  schema: diagonalNormalSchema,
  build: ({ type: _, ...options }, random) => new DiagonalNormal(options, random),
};
