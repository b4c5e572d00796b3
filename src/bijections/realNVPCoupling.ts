import * as z from "zod/mini";
import { countSchema } from "../description.ts";
import { Parameter } from "../graph/parameter.ts";
import { concat, type Tensor } from "../graph/tensor.ts";
import { MLP, type NetworkOptions, networkSchema } from "../nn/mlp.ts";
import { parse } from "../parse.ts";
import type { Random } from "../random/index.ts";
import type { Bijection, BijectionKind, Description, Transformed } from "./bijection.ts";
import { maskSchema, splitByMask } from "./coupling.ts";

const realNVPCouplingSchema = z.strictObject({
  type: z.literal("realNVPCoupling"),
  mask: maskSchema,
  context: z._default(countSchema, 0),
  network: z.prefault(networkSchema, {}),
});

/** Options of `RealNVPCoupling`. */
export interface RealNVPCouplingOptions {
  /** [D], true for the features that are kept; at least one is false. */
  mask: boolean[];
  /** C, the number of context features. Default 0: an unconditional map. */
  context?: number;
  /**
   * Each of the two networks, of the scales and of the shifts. Default two hidden layers of 64 units with relu.
   */
  network?: NetworkOptions;
}

const LOG_SCALE_BOUND = Math.log(1000);

/**
 * z_b = x_b exp(s(x_a)) + t(x_a), z_a = x_a, as published (Dinh et al. 2017, section 4.1): s and t are separate networks, of the
 * features a that are kept, and s = λ tanh(.) with one learned λ for each feature of b, which starts at 1 and is clamped
 * smoothly to +-log 1000. Both directions cost one pass of both networks.
 *
 * A `Coupling` with the affine transform has one network with both as outputs, and clamps s without learning how much.
 */
export class RealNVPCoupling implements Bijection {
  readonly features: number;
  readonly context: number;
  readonly shift: MLP;
  readonly scale: MLP;
  /** λ before it is clamped, one for each feature that changes. */
  readonly bound: Parameter;
  private readonly options: z.output<typeof realNVPCouplingSchema>;
  private readonly split: ReturnType<typeof splitByMask>;

  /** Throws `ARGUMENT` if the options do not fit, or leave nothing to condition on. */
  constructor(options: RealNVPCouplingOptions, random: Random) {
    this.options = parse(realNVPCouplingSchema, { type: "realNVPCoupling", ...options }, "a coupling");
    const { mask, context, network } = this.options;
    this.features = mask.length;
    this.context = context;
    this.split = splitByMask(mask, context);
    const { kept, changed } = this.split;
    const make = (name: string) => new MLP(kept.length, changed.length, network, random.split(name), context);
    this.shift = make("shift");
    this.scale = make("scale");
    // What the clamp makes 1.
    const start = 1 / (1 - 1 / LOG_SCALE_BOUND);
    this.bound = new Parameter([changed.length], start);
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
    const { kept, changed, join } = this.split;
    const own = kept.length > 0 ? [u.gather(1, kept)] : [];
    const given = concat(context ? [...own, context] : own, 1);
    const s = this.scale.apply(given).tanh().mul(this.bound.softClamp(LOG_SCALE_BOUND));
    const { value, logDet } = map(u.gather(1, changed), s, this.shift.apply(given));
    return { value: join(own, value), logDet };
  }

  describe(): Description {
    return this.options;
  }
}

export const realNVPCouplingKind: BijectionKind<typeof realNVPCouplingSchema> = {
  schema: realNVPCouplingSchema,
  build: ({ type: _, ...options }, random) => new RealNVPCoupling(options, random),
};
