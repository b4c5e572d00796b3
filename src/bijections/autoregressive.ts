import { z } from "zod";
import { concat, type Tensor } from "../graph/tensor.ts";
import { MaskedMLP } from "../nn/maskedMLP.ts";
import { networkSchema } from "../nn/mlp.ts";
import { drawnOrders, Numberings, single, type Variant } from "../nn/numberings.ts";
import { parse } from "../parse.ts";
import { Random } from "../random/index.ts";
import {
  type Bijection,
  type BijectionKind,
  type Description,
  sumFeatures,
  type Transformed,
} from "./bijection.ts";
import { identityOrder, inverseOrder, orderSchema, randomOrder, reverseOrder } from "./permutation.ts";
import { buildScalarTransform, scalarTransformExamples, scalarTransformSchema } from "./scalar/build.ts";
import type { ScalarTransform } from "./scalar/scalarTransform.ts";

const autoregressiveSchema = z.strictObject({
  type: z.literal("autoregressive"),
  /** `order[k]` is the feature that comes k-th. */
  order: orderSchema,
  context: z.int().nonnegative().default(0),
  transform: scalarTransformSchema.default({ type: "affine" }),
  network: networkSchema.prefault({}),
  /** M, the number of orders that share the weights: the first is `order`, the others are drawn by `seed`. */
  orders: z.int().positive().optional(),
  seed: z.int().nonnegative().optional(),
});

export type AutoregressiveOptions = Omit<z.input<typeof autoregressiveSchema>, "type">;

/**
 * z_i = T(x_i; theta_i(x_1 ... x_i-1, context)), the parameters from one masked network (MADE): MAF with the affine
 * transform (Papamakarios et al. 2017), the autoregressive neural spline flow with the spline (Durkan et al. 2019).
 *
 * The density direction is one pass of the network; sampling goes feature by feature, but computes each hidden unit
 * once, so it costs about one pass too. `invert` gives IAF (Kingma et al. 2016).
 *
 * With several `orders` each batch of a training takes one of them, at random, in both directions. Evaluated by itself it has
 * the first; the average of densities over all is no bijection but an `Ensemble` of the whole flow.
 */
export class Autoregressive implements Bijection {
  readonly features: number;
  readonly context: number;
  readonly network: MaskedMLP;
  private readonly options: z.output<typeof autoregressiveSchema>;
  private readonly transform: ScalarTransform;
  /** For each column of the network's output, the feature that it belongs to. */
  private readonly columns: readonly number[];
  /** The order of the features as the network takes them. */
  private readonly order: readonly number[];
  /** Where there are several orders. */
  private readonly numberings: Numberings | undefined;

  /** Throws `ARGUMENT` if the options do not fit. */
  constructor(options: AutoregressiveOptions, random: Random) {
    const description = { type: "autoregressive", ...options };
    this.options = parse(autoregressiveSchema, description, "an autoregressive bijection");
    const { order, context, transform, network, orders = 1, seed = 0 } = this.options;
    const whole = orders > 1;
    this.features = order.length;
    this.order = whole ? identityOrder(order.length) : order;
    this.context = context;
    this.transform = buildScalarTransform(transform);
    this.columns = this.transform.columns(this.features);
    const degree = inverseOrder(this.order).map((place) => place + 1);
    const outputDegrees = this.columns.map((feature) => degree[feature]);
    this.network = new MaskedMLP({ inputDegrees: degree, outputDegrees, context, whole }, network, random);
    if (whole) {
      const features = drawnOrders(order, orders, new Random(seed).split("orders"));
      this.numberings = new Numberings(this.network, { features, columns: this.columns });
    }
  }

  inverse(x: Tensor, context?: Tensor): Transformed {
    const { network, toOrder, toFeatures } = this.variant();
    const placed = toOrder(x);
    const { value, logDerivative } = this.transform.toLatent(placed, network.apply(placed, context));
    return { value: toFeatures(value), logDet: sumFeatures(logDerivative, this.features) };
  }

  forward(z: Tensor, context?: Tensor): Transformed {
    const variant = this.variant();
    const placed = variant.toOrder(z);
    const network = variant.network.incremental(context);
    const values: Tensor[] = new Array(this.features);
    let logDet: Tensor | undefined;
    this.order.forEach((feature, k) => {
      const scalar = this.transform.toData(placed.slice(1, feature, feature + 1), network.outputs(k + 1));
      values[feature] = scalar.value;
      const own = sumFeatures(scalar.logDerivative, 1);
      logDet = logDet ? logDet.add(own) : own;
      if (k < this.features - 1) network.feed(k + 1, scalar.value);
    });
    return { value: variant.toFeatures(concat(values, 1)), logDet: logDet! };
  }

  /** The network under the order that is traced now. */
  private variant(): Variant {
    return this.numberings?.current(this.network) ?? single(this.network);
  }

  describe(): Description {
    return this.options;
  }
}

export const autoregressiveKind: BijectionKind<typeof autoregressiveSchema> = {
  schema: autoregressiveSchema,
  about: {
    name: "masked autoregressive flow",
    formula: "z_i = T(x_i; theta(x_1 ... x_i-1))",
    paper: "Germain et al. 2015; Papamakarios et al. 2017",
    density: "closed form",
    sampling: "feature by feature",
  },
  build: ({ type: _, ...options }, random) => new Autoregressive(options, random),
  examples: (features) => [
    ...scalarTransformExamples().flatMap((transform) =>
      [0, 2].map((context) => ({
        type: "autoregressive" as const,
        order: context === 0 ? identityOrder(features) : reverseOrder(features),
        context,
        transform,
        network: { hidden: [8] },
      })),
    ),
    {
      type: "autoregressive",
      order: randomOrder(features, new Random(3)),
      network: { hidden: [7, 7, 7], residual: true, activation: "tanh" },
    },
    {
      type: "autoregressive",
      order: randomOrder(features, new Random(4)),
      context: 1,
      network: { hidden: [3, 9], activation: "gelu" },
    },
    { type: "autoregressive", order: reverseOrder(features), network: { hidden: [] } },
    {
      type: "autoregressive",
      order: reverseOrder(features),
      context: 1,
      transform: { type: "rationalQuadraticSpline", bins: 3 },
      network: { hidden: [7, 7], activation: "tanh" },
      orders: 3,
      seed: 1,
    },
  ],
};
