import * as z from "zod/mini";
import { sizeSchema } from "../description.ts";
import type { Tensor } from "../graph/tensor.ts";
import type { NetworkOptions } from "../nn/mlp.ts";
import { parse } from "../parse.ts";
import type { Random } from "../random/index.ts";
import { Amortized, amortizedFields } from "./amortized.ts";
import type { Bijection, BijectionKind, Description, Transformed } from "./bijection.ts";
import { positiveSlope } from "./slope.ts";

const radialSchema = z.strictObject({
  type: z.literal("radial"),
  features: sizeSchema,
  ...amortizedFields,
});

/** Options of `Radial`. */
export interface RadialOptions {
  /** D, the number of columns of a row. */
  features: number;
  /** C, the number of context features. Default 0: an unconditional map. */
  context?: number;
  /**
   * The network that computes the parameters from the context; only for a conditional map. Default two hidden layers
   * of 64 units with relu.
   */
  network?: NetworkOptions;
}

const LOG_SCALE_BOUND = Math.log(1000);

/**
 * x = z + β (z - z0) / (α + r), r = |z - z0|: draws rows towards a center z0 or pushes them away (Rezende and Mohamed 2015).
 *
 * It is invertible for β > -α; so α = exp(.) and β = α (s - 1), s = softplus(.) + 1/1000 > 0: s is the factor by which
 * distances grow at the center. With t = α / (α + r), the part of the factor that is left at the distance r, the
 * Jacobian stretches by 1 + (s - 1) t across and by 1 + (s - 1) t^2 along the ray from the center.
 *
 * Both directions are closed form: the distance r' of x solves r^2 + (α s - r') r - α r' = 0.
 */
export class Radial implements Bijection {
  readonly features: number;
  readonly context: number;
  readonly parameters: Amortized;
  private readonly options: z.output<typeof radialSchema>;

  /** The center is drawn from a standard normal. Throws `ARGUMENT` if the options do not fit. */
  constructor(options: RadialOptions, random: Random) {
    this.options = parse(radialSchema, { type: "radial", ...options }, "a radial map");
    const { features, context } = this.options;
    this.features = features;
    this.context = context;
    const center = () => random.split("center").normal(new Float32Array(features));
    this.parameters = new Amortized(
      { center: { shape: [features], values: center }, logAlpha: { shape: [1] }, slope: { shape: [1] } },
      this.options,
      random,
    );
  }

  forward(z: Tensor, context?: Tensor): Transformed {
    const { center, alpha, s } = this.shape(context);
    const away = z.sub(center);
    const { across, logDet } = this.stretch(norm(away), alpha, s);
    return { value: center.add(away.mul(across)), logDet };
  }

  inverse(x: Tensor, context?: Tensor): Transformed {
    const { center, alpha, s } = this.shape(context);
    const away = x.sub(center);
    const { across, logDet } = this.stretch(radiusBefore(norm(away), alpha, s), alpha, s);
    return { value: center.add(away.div(across)), logDet: logDet.neg() };
  }

  private shape(context?: Tensor) {
    const { center, logAlpha, slope } = this.parameters.given(context);
    return { center, alpha: logAlpha.softClamp(LOG_SCALE_BOUND).exp(), s: positiveSlope(slope) };
  }

  /** By which factor the distance r grows, and log |det dx/dz|; from parts that are all positive, and at most 1 but for s. */
  private stretch(r: Tensor, alpha: Tensor, s: Tensor) {
    const whole = r.add(alpha);
    const t = alpha.div(whole);
    const rest = r.div(whole);
    const across = rest.add(s.mul(t));
    const along = rest.mul(t.add(1)).add(s.mul(t.square()));
    const logDet = across
      .log()
      .mul(this.features - 1)
      .add(along.log());
    return { across, logDet: logDet.reshape(["N"]) };
  }

  describe(): Description {
    return this.options;
  }
}

/** The positive root r of r^2 + 2 p r - α r' = 0, p = (α s - r') / 2, in the way that does not cancel. */
function radiusBefore(after: Tensor, alpha: Tensor, s: Tensor): Tensor {
  const p = alpha.mul(s).sub(after).mul(0.5);
  const product = alpha.mul(after);
  // Squares of what is far out would overflow. The root does not depend on the unit, which needs no gradient.
  const unit = p.abs().maximum(1).stopGradient();
  const root = p.div(unit).square().add(product.div(unit).div(unit)).sqrt().mul(unit);
  const sum = p.abs().add(root);
  return p.greater(0).where(product.div(sum), sum);
}

/** |x| over features, [N, D] -> [N, 1], with gradient 0 at 0; squares neither overflow nor vanish. */
function norm(x: Tensor): Tensor {
  const unit = x.abs().max(-1, { keepAxes: true }).maximum(1e-30).stopGradient();
  return x.div(unit).square().sum(-1, { keepAxes: true }).maximum(1e-30).sqrt().mul(unit);
}

export const radialKind: BijectionKind<typeof radialSchema> = {
  schema: radialSchema,
  build: ({ type: _, ...options }, random) => new Radial(options, random),
};
