import * as z from "zod/mini";
import { PushforwardError, parse } from "../check/index.ts";
import { concat, type Tensor } from "../graph/index.ts";
import {
  drawPermutations,
  inversePermutation,
  MaskedMLP,
  type MaskVariant,
  MaskVariants,
  type NetworkOptions,
  networkSchema,
  SeparateMLPs,
  singleVariant,
  variantCountSchema,
} from "../nn/index.ts";
import { countSchema, type Description } from "../parts/index.ts";
import { Random } from "../random/index.ts";
import {
  type Bijection,
  type BijectionKind,
  sumFeatures,
  sumLogDerivatives,
  type Transformed,
} from "./bijection.ts";
import { identityOrder, orderSchema } from "./permutation.ts";
import { buildScalarTransform, describeWithTransform, scalarTransformSchema } from "./scalar/build.ts";
import type { ScalarTransformOptions } from "./scalar/registry.ts";
import { forNetworkInputs, networkInputs, type ScalarTransform } from "./scalar/scalarTransform.ts";

const autoregressiveSchema = z.strictObject({
  type: z.literal("autoregressive"),
  order: orderSchema,
  context: z._default(countSchema, 0),
  transform: z._default(scalarTransformSchema, { type: "affine" }),
  conditioner: z._default(z.enum(["masked", "separate"]), "masked"),
  network: z.prefault(networkSchema, {}),
  orders: z.optional(variantCountSchema),
  seed: z.optional(z.int().check(z.nonnegative())),
});

/** Options of `Autoregressive`. */
export interface AutoregressiveOptions {
  /** `[D]`: `order[k]` is the feature at position k of the ordering. */
  order: number[];
  /** C, the number of context features. Default 0: an unconditional map. */
  context?: number | undefined;
  /** The scalar transform of each feature: its options, or an object of your own. Default `{ type: "affine" }`. */
  transform?: ScalarTransformOptions | ScalarTransform | undefined;
  /** One `masked` network for all parameters, or a `separate` one for each parameter of each feature. Default `masked`. */
  conditioner?: "masked" | "separate" | undefined;
  /** The network that computes the parameters. Default two hidden layers of 64 units with relu. */
  network?: NetworkOptions | undefined;
  /** M, the number of orderings that share the weights, at most 256: `order` and M - 1 random ones. Default 1. */
  orders?: number | undefined;
  /** Seed of the random orderings. Default 0. */
  seed?: number | undefined;
}

/**
 * Masked autoregressive bijection: z_i = T(x_i; theta_i(x_1 ... x_i-1, context)), where one masked network (MADE) computes all
 * parameters. With the affine transform it is MAF (Papamakarios et al. 2017), with the rational-quadratic spline the
 * autoregressive neural spline flow (Durkan et al. 2019); `Invert` makes IAF of it (Kingma et al. 2016).
 *
 * The density takes one pass of the network. Sampling computes one feature after the other, but each hidden unit only once,
 * so that it has about as many operations as one pass, in D steps.
 *
 * With `conditioner: "separate"` each parameter of each feature, such as mu_i and sigma_i, has its own network; use it for
 * few features only. With `network: { hidden: [] }` the parameters are linear in the preceding features.
 *
 * With several `orders`, training cycles through the orderings from batch to batch; evaluation uses `order`. An average of
 * the densities over all orderings is not a bijection, but an `Ensemble`.
 */
export class Autoregressive implements Bijection {
  readonly features: number;
  readonly context: number;
  readonly network: MaskedMLP | SeparateMLPs;
  private readonly options: z.output<typeof autoregressiveSchema>;
  private readonly transform: ScalarTransform;
  /** The feature that each output of the network belongs to. */
  private readonly columns: readonly number[];
  /** The ordering in the network; with several orderings the features are permuted before and after it. */
  private readonly order: readonly number[];
  /** Permutes the network's weights for each of several orderings. */
  private readonly maskVariants: MaskVariants | undefined;

  /** Throws `ARGUMENT` if the options are not valid. */
  constructor(options: AutoregressiveOptions, random: Random) {
    const description = { type: "autoregressive", ...options };
    this.options = parse(autoregressiveSchema, description, "an autoregressive bijection");
    const { order, context, transform, conditioner, network, orders = 1, seed = 0 } = this.options;
    const hasSeveralOrders = orders > 1;
    this.features = order.length;
    this.order = hasSeveralOrders ? identityOrder(order.length) : order;
    this.context = context;
    this.transform = buildScalarTransform(transform);
    this.columns = this.transform.columns(this.features);
    const degree = inversePermutation(this.order).map((position) => position + 1);
    const autoregression = {
      inputDegrees: forNetworkInputs(this.transform, degree),
      outputDegrees: this.columns.map((feature) => degree[feature]),
      context,
    };
    if (conditioner === "separate") {
      if (hasSeveralOrders) {
        throw new PushforwardError(
          "ARGUMENT",
          "separate networks cannot share weights between several orders",
          {
            hint: 'Omit orders, or use the conditioner "masked".',
          },
        );
      }
      this.network = new SeparateMLPs(autoregression, network, random);
      return;
    }
    const masked = new MaskedMLP({ ...autoregression, dense: hasSeveralOrders }, network, random);
    this.network = masked;
    if (!hasSeveralOrders) return;
    const features = drawPermutations(order, orders, new Random(seed).split("orders"));
    const inputs = forNetworkInputs(this.transform, identityOrder(order.length));
    this.maskVariants = new MaskVariants(masked, { features, inputs, columns: this.columns });
  }

  inverse(x: Tensor, context?: Tensor): Transformed {
    const { network, toNetworkOrder, toFeatureOrder } = this.variant();
    const ordered = toNetworkOrder(x);
    const raw = network.apply(networkInputs(this.transform, ordered), context);
    const { value, logDerivative } = this.transform.toLatent(ordered, raw);
    return { value: toFeatureOrder(value), logDet: sumFeatures(logDerivative, this.features) };
  }

  forward(z: Tensor, context?: Tensor): Transformed {
    const variant = this.variant();
    const ordered = variant.toNetworkOrder(z);
    const network = variant.network.incremental(context);
    const values: Tensor[] = new Array(this.features);
    const logDerivatives: Tensor[] = new Array(this.features);
    this.order.forEach((feature, k) => {
      const scalar = this.transform.toData(ordered.slice(1, feature, feature + 1), network.outputs(k + 1));
      values[feature] = scalar.value;
      logDerivatives[feature] = scalar.logDerivative;
      if (k < this.features - 1) network.addInputs(k + 1, networkInputs(this.transform, scalar.value));
    });
    return { value: variant.toFeatureOrder(concat(values, 1)), logDet: sumLogDerivatives(logDerivatives) };
  }

  /** The network and the permutations for the ordering that the current trace uses. */
  private variant(): MaskVariant {
    return this.maskVariants?.current(this.network as MaskedMLP) ?? singleVariant(this.network);
  }

  describe(): Description {
    return describeWithTransform(this.options);
  }
}

export const autoregressiveKind: BijectionKind<typeof autoregressiveSchema> = {
  schema: autoregressiveSchema,
  build: ({ type: _, ...options }, random) => new Autoregressive(options, random),
};
