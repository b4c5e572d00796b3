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
import { buildScalarTransform, conditionedExamples, scalarTransformSchema } from "./scalar/build.ts";
import { networkInputs, type ScalarTransform } from "./scalar/scalarTransform.ts";

/** True where a feature is kept and conditions the others. */
export const maskSchema = z
  .array(z.boolean())
  .min(1)
  .refine((mask) => mask.includes(false), { error: "at least one feature to transform (false)" });

const couplingSchema = z.strictObject({
  type: z.literal("coupling"),
  mask: maskSchema,
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
  private readonly split: ReturnType<typeof splitByMask>;

  /** Throws `ARGUMENT` if the options do not fit, or leave nothing to condition on. */
  constructor(options: CouplingOptions, random: Random) {
    this.options = parse(couplingSchema, { type: "coupling", ...options }, "a coupling");
    const { mask, context, transform, network } = this.options;
    this.features = mask.length;
    this.context = context;
    this.transform = buildScalarTransform(transform);
    this.split = splitByMask(mask, context);
    const { kept, changed } = this.split;
    const outputs = changed.length * this.transform.parameters;
    const inputs = kept.length * (this.transform.angles ? 2 : 1);
    this.network = new MLP(inputs, outputs, network, random, context);
  }

  forward(z: Tensor, context?: Tensor): Transformed {
    return this.apply(z, context, "toData");
  }

  inverse(x: Tensor, context?: Tensor): Transformed {
    return this.apply(x, context, "toLatent");
  }

  private apply(u: Tensor, context: Tensor | undefined, direction: "toData" | "toLatent"): Transformed {
    const { kept, changed, join } = this.split;
    const own = kept.length > 0 ? [u.gather(1, kept)] : [];
    const seen = own.map((features) => networkInputs(this.transform, features));
    const raw = this.network.apply(concat(context ? [...seen, context] : seen, 1));
    const { value, logDerivative } = this.transform[direction](u.gather(1, changed), raw);
    return { value: join(own, value), logDet: sumFeatures(logDerivative, changed.length) };
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
    const examples = conditionedExamples(one ? 2 : features).map(({ transform, context }) => ({
      type: "coupling" as const,
      mask: context > 0 ? alternatingMask(features, !one && features % 2 === 0) : alternatingMask(features),
      context,
      transform,
      network,
    }));
    if (one) return examples.filter(({ context }) => context > 0);
    return [
      ...examples,
      {
        type: "coupling",
        mask: [...new Array(features - 1).fill(true), false],
        network: { hidden: [6, 6, 6], residual: true, activation: "silu" },
      },
      { type: "coupling", mask: new Array(features).fill(false), context: 1, network: { hidden: [] } },
    ];
  },
};

/**
 * Which features a coupling keeps and changes, and how the two parts are put together again.
 * Throws `ARGUMENT` if there is nothing to condition on.
 */
export function splitByMask(mask: readonly boolean[], context: number) {
  const kept = mask.flatMap((keep, i) => (keep ? [i] : []));
  const changed = mask.flatMap((keep, i) => (keep ? [] : [i]));
  if (kept.length + context === 0) {
    throw new PushforwardError("ARGUMENT", "a coupling keeps no feature and has no context to condition on", {
      mend: "Keep at least one feature, or use an autoregressive bijection for a single one.",
    });
  }
  const places = inverseOrder([...kept, ...changed]);
  const join = (own: readonly Tensor[], value: Tensor) => concat([...own, value], 1).gather(1, places);
  return { kept, changed, join };
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
