import { z } from "zod";
import { PushforwardError } from "../errors.ts";
import { concat, type Tensor } from "../graph/tensor.ts";
import { MLP, networkSchema } from "../nn/mlp.ts";
import type { Random } from "../random/index.ts";
import { sumFeatures } from "./autoregressive.ts";
import type { Bijection, Description, Transformed } from "./bijection.ts";
import { buildScalarTransform, scalarTransformSchema } from "./scalar/build.ts";
import type { ScalarTransform } from "./scalar/scalarTransform.ts";

export const couplingSchema = z.strictObject({
  type: z.literal("coupling"),
  /** True where a feature is kept and conditions the others. */
  mask: z
    .array(z.boolean())
    .min(1)
    .refine((mask) => mask.includes(false), {
      error: "a coupling mask must leave at least one feature to transform",
    }),
  context: z.int().nonnegative().default(0),
  transform: scalarTransformSchema.default({ type: "affine" }),
  network: networkSchema.prefault({}),
});

export type CouplingOptions = Omit<z.input<typeof couplingSchema>, "type">;

/**
 * Keeps some features and transforms the others by parameters that a network computes from the kept ones and the
 * context: NICE with the additive transform (Dinh et al. 2015), RealNVP with the affine one (Dinh et al. 2017), the
 * coupling neural spline flow with the spline (Durkan et al. 2019). Both directions cost one pass of the network.
 */
export class Coupling implements Bijection {
  readonly features: number;
  readonly context: number;
  readonly network: MLP;
  private readonly options: z.output<typeof couplingSchema>;
  private readonly transform: ScalarTransform;
  private readonly kept: readonly number[];
  private readonly changed: readonly number[];

  constructor(options: CouplingOptions, random: Random) {
    this.options = couplingSchema.parse({ type: "coupling", ...options });
    const { mask, context, transform, network } = this.options;
    this.features = mask.length;
    this.context = context;
    this.transform = buildScalarTransform(transform);
    this.kept = mask.flatMap((keep, i) => (keep ? [i] : []));
    this.changed = mask.flatMap((keep, i) => (keep ? [] : [i]));
    if (this.kept.length + context === 0) {
      throw new PushforwardError(
        "ARGUMENT",
        "a coupling keeps no feature and has no context to condition on",
        {
          mend: "Keep at least one feature, or use an autoregressive bijection for a single one.",
        },
      );
    }
    this.network = new MLP(
      this.kept.length,
      this.changed.length * this.transform.parameters,
      network,
      random,
      context,
    );
  }

  forward(z: Tensor, context?: Tensor): Transformed {
    return this.apply(z, context, "toData");
  }

  inverse(x: Tensor, context?: Tensor): Transformed {
    return this.apply(x, context, "toLatent");
  }

  private apply(u: Tensor, context: Tensor | undefined, direction: "toData" | "toLatent"): Transformed {
    const kept = u.gather(1, this.kept);
    const raw = this.network.apply(kept, context);
    const { value, logDerivative } = this.transform[direction](u.gather(1, this.changed), raw);
    const placed = [...this.kept, ...this.changed];
    return {
      value: concat([kept, value], 1).gather(
        1,
        placed.map((_, feature) => placed.indexOf(feature)),
      ),
      logDet: sumFeatures(logDerivative, this.changed.length),
    };
  }

  describe(): Description {
    return this.options;
  }
}

/** True, false, true, ... starting with `first`. */
export const alternatingMask = (features: number, first = true): boolean[] =>
  Array.from({ length: features }, (_, i) => (i % 2 === 0) === first);

/** Half of the features, rounded down, kept at random. */
export function randomMask(features: number, random: Random): boolean[] {
  const mask = new Array<boolean>(features).fill(false);
  for (const feature of random.permutation(features).slice(0, Math.floor(features / 2))) mask[feature] = true;
  return mask;
}
