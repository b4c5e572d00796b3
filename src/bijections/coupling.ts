import { z } from "zod";
import { PushforwardError } from "../errors.ts";
import { concat, type Tensor } from "../graph/tensor.ts";
import { MLP, networkSchema } from "../nn/mlp.ts";
import { parse } from "../parse.ts";
import type { Random } from "../random/index.ts";
import {
  type Bijection,
  type BijectionKind,
  type Description,
  sumFeatures,
  type Transformed,
} from "./bijection.ts";
import { inverseOrder } from "./permutation.ts";
import { buildScalarTransform, scalarTransformExamples, scalarTransformSchema } from "./scalar/build.ts";
import { networkInputs, type ScalarTransform } from "./scalar/scalarTransform.ts";

const couplingSchema = z.strictObject({
  type: z.literal("coupling"),
  /** True where a feature is kept and conditions the others. */
  mask: z
    .array(z.boolean())
    .min(1)
    .refine((mask) => mask.includes(false), { error: "at least one feature to transform (false)" }),
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

  /** Throws `ARGUMENT` if the options do not fit, or leave nothing to condition on. */
  constructor(options: CouplingOptions, random: Random) {
    this.options = parse(couplingSchema, { type: "coupling", ...options }, "a coupling");
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
    const outputs = this.changed.length * this.transform.parameters;
    this.network = new MLP(
      this.kept.length * (this.transform.angles ? 2 : 1),
      outputs,
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
    const kept = this.kept.length > 0 ? [u.gather(1, this.kept)] : [];
    const seen = kept.map((features) => networkInputs(this.transform, features));
    const given = context ? [...seen, context] : seen;
    const raw = this.network.apply(concat(given, 1));
    const { value, logDerivative } = this.transform[direction](u.gather(1, this.changed), raw);
    const places = inverseOrder([...this.kept, ...this.changed]);
    return {
      value: concat([...kept, value], 1).gather(1, places),
      logDet: sumFeatures(logDerivative, this.changed.length),
    };
  }

  describe(): Description {
    return this.options;
  }
}

export const couplingKind: BijectionKind<typeof couplingSchema> = {
  schema: couplingSchema,
  about: {
    name: "coupling",
    formula: "z_b = T(x_b; theta(x_a)), z_a = x_a",
    paper: "Dinh et al. 2015; Dinh et al. 2017",
    density: "closed form",
    sampling: "closed form",
  },
  build: ({ type: _, ...options }, random) => new Coupling(options, random),
  examples(features) {
    const network = { hidden: [8] };
    const one = features === 1;
    const conditional = scalarTransformExamples(features).map((transform) => ({
      type: "coupling" as const,
      mask: alternatingMask(features, one ? false : features % 2 === 0),
      context: 2,
      transform,
      network,
    }));
    if (one) return conditional;
    const unconditional = scalarTransformExamples(features).map((transform) => ({
      type: "coupling" as const,
      mask: alternatingMask(features),
      transform,
      network,
    }));
    return [
      ...unconditional,
      ...conditional,
      {
        type: "coupling",
        mask: [...new Array(features - 1).fill(true), false],
        network: { hidden: [6, 6, 6], residual: true, activation: "silu" },
      },
      { type: "coupling", mask: new Array(features).fill(false), context: 1, network: { hidden: [] } },
    ];
  },
};

/** True, false, true, ... starting with `first`. */
export const alternatingMask = (features: number, first = true): boolean[] =>
  Array.from({ length: features }, (_, i) => (i % 2 === 0) === first);

/** Half of the features, rounded down, kept at random. */
export function randomMask(features: number, random: Random): boolean[] {
  const mask = new Array<boolean>(features).fill(false);
  for (const feature of random.permutation(features).slice(0, Math.floor(features / 2))) mask[feature] = true;
  return mask;
}
