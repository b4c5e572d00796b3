import * as z from "zod/mini";
import { parse } from "../check/index.ts";
import { concat, Parameter, type Tensor } from "../graph/index.ts";
import { MLP, type NetworkOptions, networkSchema, requireColumns } from "../nn/index.ts";
import { LOG_BOUND } from "../numerics/index.ts";
import { countSchema, type Description } from "../parts/index.ts";
import type { Random } from "../random/index.ts";
import type { Bijection, BijectionKind, Transformed } from "./bijection.ts";
import { maskSchema, splitByMask } from "./coupling.ts";

const realNVPCouplingSchema = z.strictObject({
  type: z.literal("realNVPCoupling"),
  mask: maskSchema,
  context: z._default(countSchema, 0),
  network: z.prefault(networkSchema, {}),
});

/** Options of `RealNVPCoupling`. */
export interface RealNVPCouplingOptions {
  /** [D], true for the features that stay unchanged; at least one is false. */
  mask: boolean[];
  /** C, the number of context features. Default 0: an unconditional map. */
  context?: number | undefined;
  /** The options of each of the two networks, for scales and for shifts. Default two hidden layers of 64 units with relu. */
  network?: NetworkOptions | undefined;
}

/**
 * The coupling layer of RealNVP as published (Dinh et al. 2017, section 4.1): z_b = x_b exp(s(x_a)) + t(x_a), z_a = x_a. s and t
 * are separate networks, and s = λ tanh(.) with a learned λ for each feature of b, which starts at 1 and is clamped smoothly to
 * +-log 1000. Both directions take one pass of both networks.
 *
 * In contrast, a `Coupling` with the affine transform has one network for s and t, and clamps s to a fixed bound.
 */
export class RealNVPCoupling implements Bijection {
  readonly features: number;
  readonly context: number;
  readonly shift: MLP;
  readonly scale: MLP;
  /** λ before it is clamped, for each changed feature. */
  readonly bound: Parameter;
  private readonly options: z.output<typeof realNVPCouplingSchema>;
  private readonly split: ReturnType<typeof splitByMask>;

  /** Throws `ARGUMENT` if the options are not valid, or if there is neither an unchanged feature nor a context. */
  constructor(options: RealNVPCouplingOptions, random: Random) {
    this.options = parse(realNVPCouplingSchema, { type: "realNVPCoupling", ...options }, "a coupling");
    const { mask, context, network } = this.options;
    this.features = mask.length;
    this.context = context;
    this.split = splitByMask(mask, context);
    const { unchanged, changed } = this.split;
    const make = (name: string) =>
      new MLP(unchanged.length, changed.length, network, random.split(name), context);
    this.shift = make("shift");
    this.scale = make("scale");
    // For this u, softClamp(u, b) = u / (1 + |u| / b) is 1.
    const initialBound = 1 / (1 - 1 / LOG_BOUND);
    this.bound = new Parameter([changed.length], initialBound);
  }

  forward(z: Tensor, context?: Tensor): Transformed {
    return this.apply(z, context, (changed, s, t) => ({
      value: changed.sub(t).mul(s.neg().exp()),
      logDet: s.neg().sum(1),
    }));
  }

  inverse(x: Tensor, context?: Tensor): Transformed {
    return this.apply(x, context, (changed, s, t) => ({
      value: changed.mul(s.exp()).add(t),
      logDet: s.sum(1),
    }));
  }

  private apply(
    u: Tensor,
    context: Tensor | undefined,
    map: (changed: Tensor, s: Tensor, t: Tensor) => Transformed,
  ): Transformed {
    requireColumns("context", context, this.context);
    const { unchanged, changed, join } = this.split;
    const unchangedFeatures = unchanged.length > 0 ? [u.gather(1, unchanged)] : [];
    const inputs = concat(context ? [...unchangedFeatures, context] : unchangedFeatures, 1);
    const s = this.scale.apply(inputs).tanh().mul(this.bound.softClamp(LOG_BOUND));
    const { value, logDet } = map(u.gather(1, changed), s, this.shift.apply(inputs));
    return { value: join([...unchangedFeatures, value]), logDet };
  }

  describe(): Description {
    return this.options;
  }
}

export const realNVPCouplingKind: BijectionKind<typeof realNVPCouplingSchema> = {
  schema: realNVPCouplingSchema,
  build: ({ type: _, ...options }, random) => new RealNVPCoupling(options, random),
};
