import * as z from "zod/mini";
import { parse } from "../check/index.ts";
import type { Tensor } from "../graph/index.ts";
import { type Description, positiveSchema, sizeSchema } from "../parts/index.ts";
import type { Bijection, BijectionKind, Transformed } from "./bijection.ts";
import { clampExponent, inverseOnSupport } from "./constraint.ts";

const powerSchema = z.strictObject({
  type: z.literal("power"),
  features: sizeSchema,
  /** p */
  exponent: z._default(positiveSchema, 2),
});

/**
 * x = z^p with p > 0, from the positive numbers onto the positive numbers. Latent values must be positive too, so the map must
 * follow a positive base distribution, `Exp` or `Softplus`. In both directions the log-determinant of numbers <= 0 is -Infinity,
 * and results are clamped to [exp(-80), exp(80)].
 */
export class Power implements Bijection {
  readonly features: number;
  readonly context = 0;
  readonly support = "positive";
  readonly domain = "positive";
  readonly exponent: number;

  /** `exponent` is p. Default 2. Throws `ARGUMENT` if `features`, which is D, is not a positive integer, or p is not from 1e-30 to 1e30. */
  constructor(options: { features: number; exponent?: number }) {
    const { features, exponent } = parse(powerSchema, { type: "power", ...options }, "a power bijection");
    this.features = features;
    this.exponent = exponent;
  }

  forward(z: Tensor): Transformed {
    return raise(z, this.exponent);
  }

  inverse(x: Tensor): Transformed {
    return raise(x, 1 / this.exponent);
  }

  describe(): Description {
    return { type: "power", features: this.features, exponent: this.exponent };
  }
}

const raise = (u: Tensor, exponent: number): Transformed =>
  inverseOnSupport(u, u.lessEqual(0), 1, (u) => {
    const log = u.log();
    return {
      value: clampExponent(log.mul(exponent)).exp(),
      logDerivative: log.mul(exponent - 1).add(Math.log(exponent)),
    };
  });

export const powerKind: BijectionKind<typeof powerSchema> = {
  schema: powerSchema,
  build: ({ type: _, ...options }) => new Power(options),
};
