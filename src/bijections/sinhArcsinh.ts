import * as z from "zod/mini";
import { parse } from "../check/index.ts";
import { Parameter, type Tensor } from "../graph/index.ts";
import { type Description, sizeSchema } from "../parts/index.ts";
import type { Bijection, BijectionKind, Transformed } from "./bijection.ts";
import { clampExponent } from "./constraint.ts";

const sinhArcsinhSchema = z.strictObject({ type: z.literal("sinhArcsinh"), features: sizeSchema });

/** t is clamped smoothly to +-log 10. exp(t) multiplies an exponent: at exp(t) = 10, z = 5 already gives x = 5 10^9. */
const LOG_TAIL_BOUND = Math.log(10);

/**
 * The sinh-arcsinh transformation x_i = sinh(exp(t_i) (arcsinh(z_i) + s_i)) with a learned skewness s and tail weight exp(t) for
 * each feature (Jones and Pewsey 2009, "Sinh-arcsinh distributions", where delta = exp(-t) and epsilon = s). With t > 0 the
 * tails of x are heavier than those of z, with t < 0 lighter; with s > 0 x is skewed to the right. s = t = 0, where it starts,
 * is the identity. Results are clamped to +-sinh(80).
 */
export class SinhArcsinh implements Bijection {
  readonly features: number;
  readonly context = 0;
  readonly skewness: Parameter;
  readonly logTailWeight: Parameter;

  /** `features` is D. Throws `ARGUMENT` if it is not a positive integer. */
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
    const to = clampExponent(from.add(this.skewness).mul(t.exp()));
    return { value: sinh(to), logDet: logCosh(to).sub(logCosh(from)).add(t).sum(-1) };
  }

  inverse(x: Tensor): Transformed {
    const t = this.logTailWeight.softClamp(LOG_TAIL_BOUND);
    const from = arcsinh(x);
    const to = clampExponent(from.mul(t.neg().exp()).sub(this.skewness));
    return { value: sinh(to), logDet: logCosh(to).sub(logCosh(from)).sub(t).sum(-1) };
  }

  describe(): Description {
    return { type: "sinhArcsinh", features: this.features };
  }
}

/** Above this, arcsinh(a) = log(2 a) to all digits; up to it, squares are finite in float32. */
const LARGE_ARGUMENT = 1e9;

/** sign(x) log(|x| + sqrt(x^2 + 1)), to full precision near 0, where its derivative is 1. */
function arcsinh(x: Tensor): Tensor {
  const negative = x.less(0);
  const size = negative.where(x.neg(), x);
  const isLarge = size.greater(LARGE_ARGUMENT);
  const square = isLarge.where(1, size).square();
  const ofSmall = isLarge
    .where(1, size)
    .add(square.div(square.add(1).sqrt().add(1)))
    .log1p();
  const value = isLarge.where(isLarge.where(size, 1).log().add(Math.LN2), ofSmall);
  return negative.where(value.neg(), value);
}

/** tanh(u) cosh(u), which does not cancel near 0 as (exp(u) - exp(-u)) / 2 does. */
const sinh = (u: Tensor): Tensor => u.tanh().mul(u.exp().add(u.neg().exp())).mul(0.5);

const logCosh = (u: Tensor): Tensor => u.mul(-2).softplus().add(u).sub(Math.LN2);

export const sinhArcsinhKind: BijectionKind<typeof sinhArcsinhSchema> = {
  schema: sinhArcsinhSchema,
  build: (description) => new SinhArcsinh(description),
};
