import * as z from "zod/mini";
import { sizeSchema } from "../description.ts";
import { Parameter } from "../graph/parameter.ts";
import type { Tensor } from "../graph/tensor.ts";
import { parse } from "../parse.ts";
import type { Bijection, BijectionKind, Description, Transformed } from "./bijection.ts";
import { withinReach } from "./constraint.ts";

const sinhArcsinhSchema = z.strictObject({ type: z.literal("sinhArcsinh"), features: sizeSchema });

/** An exponent, not a scale: already at 10 a latent value of 5 goes to 10^9. */
const LOG_TAIL_BOUND = Math.log(10);

/**
 * x_i = sinh(exp(t_i) (arcsinh(z_i) + s_i)) with a learned skewness s and tail weight exp(t) for each feature (Jones and Pewsey
 * 2009, "Sinh-arcsinh distributions", whose delta is exp(-t) and whose epsilon is s), the identity at s = t = 0. With t > 0
 * tails are heavier than those of the latent variable, with t < 0 lighter; s > 0 leans to the right. t is clamped smoothly to
 * +-log 10, and results beyond sinh(80) are put there.
 */
export class SinhArcsinh implements Bijection {
  readonly features: number;
  readonly context = 0;
  readonly skewness: Parameter;
  readonly logTailWeight: Parameter;

  constructor(options: { features: number }) {
    const description = { type: "sinhArcsinh", ...options };
    const { features } = parse(sinhArcsinhSchema, description, "a sinh-arcsinh transformation");
    this.features = features;
    this.skewness = new Parameter([features], 0);
    this.logTailWeight = new Parameter([features], 0);
  }

  forward(z: Tensor): Transformed {
    const t = this.logTailWeight.softClamp(LOG_TAIL_BOUND);
    const from = arcsinh(z);
    const to = withinReach(from.add(this.skewness).mul(t.exp()));
    return { value: sinh(to), logDet: logCosh(to).sub(logCosh(from)).add(t).sum(-1) };
  }

  inverse(x: Tensor): Transformed {
    const t = this.logTailWeight.softClamp(LOG_TAIL_BOUND);
    const from = arcsinh(x);
    const to = withinReach(from.mul(t.neg().exp()).sub(this.skewness));
    return { value: sinh(to), logDet: logCosh(to).sub(logCosh(from)).sub(t).sum(-1) };
  }

  describe(): Description {
    return { type: "sinhArcsinh", features: this.features };
  }
}

/** From here on arcsinh(a) = log(2 a) to all digits, and squares stay finite in float32 up to it. */
const FAR = 1e9;

/** sign(x) log(|x| + sqrt(x^2 + 1)), to full precision near 0, and with slope 1 there. */
function arcsinh(x: Tensor): Tensor {
  const negative = x.less(0);
  const size = negative.where(x.neg(), x);
  const far = size.greater(FAR);
  const square = far.where(1, size).square();
  const near = far
    .where(1, size)
    .add(square.div(square.add(1).sqrt().add(1)))
    .log1p();
  const value = far.where(far.where(size, 1).log().add(Math.LN2), near);
  return negative.where(value.neg(), value);
}

/** As a product, which does not cancel near 0. */
const sinh = (u: Tensor): Tensor => u.tanh().mul(u.exp().add(u.neg().exp())).mul(0.5);

const logCosh = (u: Tensor): Tensor => u.mul(-2).softplus().add(u).sub(Math.LN2);

export const sinhArcsinhKind: BijectionKind<typeof sinhArcsinhSchema> = {
  schema: sinhArcsinhSchema,
  build: (description) => new SinhArcsinh(description),
};
