import * as z from "zod/mini";
import { parse } from "../check/index.ts";
import type { Tensor } from "../graph/index.ts";
import type { NetworkOptions } from "../nn/index.ts";
import { LOG_BOUND } from "../numerics/index.ts";
import { type Description, sizeSchema } from "../parts/index.ts";
import type { Random } from "../random/index.ts";
import { AmortizedParameters, amortizedFields } from "./amortized.ts";
import type { Bijection, BijectionKind, Transformed } from "./bijection.ts";
import { positiveSlope } from "./tanhResidual.ts";

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
  context?: number | undefined;
  /**
   * The network that computes the parameters from the context; only for a conditional map. Default two hidden layers
   * of 64 units with relu.
   */
  network?: NetworkOptions | undefined;
}

/**
 * Radial flow, x = z + β (z - z0) / (α + r) with r = |z - z0|: contracts rows towards a center z0 or expands them away from it
 * (Rezende and Mohamed 2015, "Variational inference with normalizing flows").
 *
 * It is invertible for β > -α. So α = exp(.) and β = α (s - 1) with s = softplus(.) + 1/1000 > 0, the factor by which the map
 * scales distances at the center. With t = α / (α + r), the Jacobian has D - 1 eigenvalues 1 + (s - 1) t, tangential to the
 * sphere around z0, and the radial one 1 + (s - 1) t^2.
 *
 * Both directions are closed form: r solves r^2 + (α s - r') r - α r' = 0, where r' = |x - z0|.
 */
export class Radial implements Bijection {
  readonly features: number;
  readonly context: number;
  readonly parameters: AmortizedParameters;
  private readonly options: z.output<typeof radialSchema>;

  /** The center is drawn from a standard normal. Throws `ARGUMENT` if the options are not valid. */
  constructor(options: RadialOptions, random: Random) {
    this.options = parse(radialSchema, { type: "radial", ...options }, "a radial map");
    const { features, context } = this.options;
    this.features = features;
    this.context = context;
    const center = () => random.split("center").normal(new Float32Array(features));
    this.parameters = new AmortizedParameters(
      { center: { shape: [features], values: center }, logAlpha: { shape: [1] }, slope: { shape: [1] } },
      this.options,
      random,
    );
  }

  forward(z: Tensor, context?: Tensor): Transformed {
    const { center, alpha, s } = this.coefficients(context);
    const offset = z.sub(center);
    const { tangential, logDet } = this.scales(norm(offset), alpha, s);
    return { value: center.add(offset.mul(tangential)), logDet };
  }

  inverse(x: Tensor, context?: Tensor): Transformed {
    const { center, alpha, s } = this.coefficients(context);
    const offset = x.sub(center);
    const { tangential, logDet } = this.scales(latentRadius(norm(offset), alpha, s), alpha, s);
    return { value: center.add(offset.div(tangential)), logDet: logDet.neg() };
  }

  private coefficients(context?: Tensor) {
    const { center, logAlpha, slope } = this.parameters.forContext(context);
    return { center, alpha: logAlpha.softClamp(LOG_BOUND).exp(), s: positiveSlope(slope) };
  }

  /**
   * The tangential eigenvalue of the Jacobian, which is the factor between the radii r' and r, and log |det dx/dz|. Both
   * eigenvalues are sums of positive terms, so they do not cancel.
   */
  private scales(r: Tensor, alpha: Tensor, s: Tensor) {
    const sum = r.add(alpha);
    const t = alpha.div(sum);
    const oneMinusT = r.div(sum);
    const tangential = oneMinusT.add(s.mul(t));
    const radial = oneMinusT.mul(t.add(1)).add(s.mul(t.square()));
    const logDet = tangential
      .log()
      .mul(this.features - 1)
      .add(radial.log());
    return { tangential, logDet: logDet.reshape(["N"]) };
  }

  describe(): Description {
    return this.options;
  }
}

/** The positive root r of r^2 + 2 p r - α r' = 0, p = (α s - r') / 2, by the formula that does not cancel. */
function latentRadius(dataRadius: Tensor, alpha: Tensor, s: Tensor): Tensor {
  const p = alpha.mul(s).sub(dataRadius).mul(0.5);
  const product = alpha.mul(dataRadius);
  // Squares of large radii would overflow, so the root is computed in units of |p|. It does not depend on the unit.
  const unit = p.abs().maximum(1).stopGradient();
  const root = p.div(unit).square().add(product.div(unit).div(unit)).sqrt().mul(unit);
  const sum = p.abs().add(root);
  return p.greater(0).where(product.div(sum), sum);
}

/** |x| of each row, [N, D] -> [N, 1], with gradient 0 at 0, in units of the largest |x_i|, so that squares do not overflow. */
function norm(x: Tensor): Tensor {
  const unit = x.abs().max(-1, { keepAxes: true }).maximum(1e-30).stopGradient();
  return x.div(unit).square().sum(-1, { keepAxes: true }).maximum(1e-30).sqrt().mul(unit);
}

export const radialKind: BijectionKind<typeof radialSchema> = {
  schema: radialSchema,
  build: ({ type: _, ...options }, random) => new Radial(options, random),
};
