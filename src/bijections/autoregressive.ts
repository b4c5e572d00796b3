import * as z from "zod/mini";
import { countSchema } from "../description.ts";
import { PushforwardError } from "../errors.ts";
import { concat, type Tensor } from "../graph/tensor.ts";
import { MaskedMLP } from "../nn/maskedMLP.ts";
import { type NetworkOptions, networkSchema } from "../nn/mlp.ts";
import {
  drawnOrders,
  inverseOrder,
  Numberings,
  single,
  type Variant,
  variantsSchema,
} from "../nn/numberings.ts";
import { SeparateMLPs } from "../nn/separateMLPs.ts";
import { parse } from "../parse.ts";
import { Random } from "../random/index.ts";
import {
  type Bijection,
  type BijectionKind,
  type Description,
  sumFeatures,
  sumLogDerivatives,
  type Transformed,
} from "./bijection.ts";
import { identityOrder, orderSchema } from "./permutation.ts";
import { buildScalarTransform, describeWithTransform, scalarTransformSchema } from "./scalar/build.ts";
import type { ScalarTransformOptions } from "./scalar/registry.ts";
import { networkInputs, type ScalarTransform } from "./scalar/scalarTransform.ts";

const autoregressiveSchema = z.strictObject({
  type: z.literal("autoregressive"),
  order: orderSchema,
  context: z._default(countSchema, 0),
  transform: z._default(scalarTransformSchema, { type: "affine" }),
  conditioner: z._default(z.enum(["masked", "separate"]), "masked"),
  network: z.prefault(networkSchema, {}),
  orders: z.optional(variantsSchema),
  seed: z.optional(z.int().check(z.nonnegative())),
});

/** Options of `Autoregressive`. */
export interface AutoregressiveOptions {
  /** [D]: `order[k]` is the feature that comes k-th. */
  order: number[];
  /** C, the number of context features. Default 0: an unconditional map. */
  context?: number;
  /** The map of one variable that is applied to each feature, by its options or one of your own. Default `{ type: "affine" }`. */
  transform?: ScalarTransformOptions | ScalarTransform;
  /**
   * One masked network for all parameters, or a network for each parameter of each feature. Default `masked`.
   */
  conditioner?: "masked" | "separate";
  /** The network that computes the parameters. Default two hidden layers of 64 units with relu. */
  network?: NetworkOptions;
  /**
   * M, the number of orders that share the weights, at most 256: the first is `order`, the others are drawn by
   * `seed`. Default 1.
   */
  orders?: number;
  /** Seed of the other orders. Default 0. */
  seed?: number;
}

/**
 * z_i = T(x_i; theta_i(x_1 ... x_i-1, context)), the parameters from one masked network (MADE): MAF with the affine
 * transform (Papamakarios et al. 2017), the autoregressive neural spline flow with the spline (Durkan et al. 2019).
 *
 * The density direction is one pass of the network; sampling goes feature by feature, but computes each hidden unit
 * once, so it costs about one pass too. `invert` gives IAF (Kingma et al. 2016).
 *
 * With `conditioner: "separate"` each parameter of each feature, such as mu_i and sigma_i, has a network of its own: the
 * plainest autoregressive flow, for few features. With `network: { hidden: [] }` the parameters are linear in the features.
 *
 * With several `orders` the batches of a training take them in a cycle, in both directions. Evaluated by itself it has
 * the first; the average of densities over all is no bijection but an `Ensemble` of the whole flow.
 */
export class Autoregressive implements Bijection {
  readonly features: number;
  readonly context: number;
  readonly network: MaskedMLP | SeparateMLPs;
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
    const { order, context, transform, conditioner, network, orders = 1, seed = 0 } = this.options;
    const whole = orders > 1;
    this.features = order.length;
    this.order = whole ? identityOrder(order.length) : order;
    this.context = context;
    this.transform = buildScalarTransform(transform);
    this.columns = this.transform.columns(this.features);
    const degree = inverseOrder(this.order).map((place) => place + 1);
    const autoregression = {
      inputDegrees: this.transform.angles ? [...degree, ...degree] : degree,
      outputDegrees: this.columns.map((feature) => degree[feature]),
      context,
    };
    if (conditioner === "separate") {
      if (whole) {
        throw new PushforwardError(
          "ARGUMENT",
          "separate networks have no weights that several orders could share",
          {
            hint: 'Leave out orders, or take the conditioner "masked".',
          },
        );
      }
      this.network = new SeparateMLPs(autoregression, network, random);
      return;
    }
    const masked = new MaskedMLP({ ...autoregression, whole }, network, random);
    this.network = masked;
    if (!whole) return;
    const features = drawnOrders(order, orders, new Random(seed).split("orders"));
    const natural = identityOrder(order.length);
    const inputs = this.transform.angles ? [...natural, ...natural] : natural;
    this.numberings = new Numberings(masked, { features, inputs, columns: this.columns });
  }

  inverse(x: Tensor, context?: Tensor): Transformed {
    const { network, toOrder, toFeatures } = this.variant();
    const placed = toOrder(x);
    const raw = network.apply(networkInputs(this.transform, placed), context);
    const { value, logDerivative } = this.transform.toLatent(placed, raw);
    return { value: toFeatures(value), logDet: sumFeatures(logDerivative, this.features) };
  }

  forward(z: Tensor, context?: Tensor): Transformed {
    const variant = this.variant();
    const placed = variant.toOrder(z);
    const network = variant.network.incremental(context);
    const values: Tensor[] = new Array(this.features);
    const logDerivatives: Tensor[] = new Array(this.features);
    this.order.forEach((feature, k) => {
      const scalar = this.transform.toData(placed.slice(1, feature, feature + 1), network.outputs(k + 1));
      values[feature] = scalar.value;
      logDerivatives[feature] = scalar.logDerivative;
      if (k < this.features - 1) network.feed(k + 1, networkInputs(this.transform, scalar.value));
    });
    return { value: variant.toFeatures(concat(values, 1)), logDet: sumLogDerivatives(logDerivatives) };
  }

  /** The network under the order that is traced now. */
  private variant(): Variant {
    return this.numberings?.current(this.network as MaskedMLP) ?? single(this.network);
  }

  describe(): Description {
    return describeWithTransform(this.options);
  }
}

export const autoregressiveKind: BijectionKind<typeof autoregressiveSchema> = {
  schema: autoregressiveSchema,
  build: ({ type: _, ...options }, random) => new Autoregressive(options, random),
};
