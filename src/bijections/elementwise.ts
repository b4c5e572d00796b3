import * as z from "zod/mini";
import { parse } from "../check/index.ts";
import { Parameter, type Tensor, WEIGHT } from "../graph/index.ts";
import { type Description, sizeSchema } from "../parts/index.ts";
import { type Bijection, type BijectionKind, sumFeatures, type Transformed } from "./bijection.ts";
import { buildScalarTransform, describeWithTransform, scalarTransformSchema } from "./scalar/build.ts";
import type { ScalarTransformOptions } from "./scalar/registry.ts";
import type { ScalarTransform } from "./scalar/scalarTransform.ts";

const elementwiseSchema = z.strictObject({
  type: z.literal("elementwise"),
  features: sizeSchema,
  transform: z._default(scalarTransformSchema, { type: "affine" }),
});

/** Options of `Elementwise`. */
export interface ElementwiseOptions {
  /** D, the number of columns of a row. */
  features: number;
  /** The scalar transform of each feature: its options, or an object of your own. Default `{ type: "affine" }`. */
  transform?: ScalarTransformOptions | ScalarTransform | undefined;
}

/**
 * Elementwise bijection, z_i = T(x_i; theta_i), where the parameters theta_i of the scalar transform are learned directly,
 * without a network. Use it for the marginals of a flow, or alternate it with linear maps. It starts as the identity.
 */
export class Elementwise implements Bijection {
  readonly features: number;
  readonly context = 0;
  /** The parameters of all features, [D P], in the order of the transform's `columns`. */
  readonly raw: Parameter;
  private readonly options: z.output<typeof elementwiseSchema>;
  private readonly transform: ScalarTransform;

  /** Throws `ARGUMENT` if the options are not valid. */
  constructor(options: ElementwiseOptions) {
    this.options = parse(elementwiseSchema, { type: "elementwise", ...options }, "an elementwise bijection");
    this.features = this.options.features;
    this.transform = buildScalarTransform(this.options.transform);
    const size = this.features * this.transform.parameters;
    this.raw = new Parameter([size], 0, { domain: WEIGHT });
  }

  forward(z: Tensor): Transformed {
    const { value, logDerivative } = this.transform.toData(z, this.raw);
    return { value, logDet: sumFeatures(logDerivative, this.features) };
  }

  inverse(x: Tensor): Transformed {
    const { value, logDerivative } = this.transform.toLatent(x, this.raw);
    return { value, logDet: sumFeatures(logDerivative, this.features) };
  }

  describe(): Description {
    return describeWithTransform(this.options);
  }
}

export const elementwiseKind: BijectionKind<typeof elementwiseSchema> = {
  schema: elementwiseSchema,
  build: ({ type: _, ...options }) => new Elementwise(options),
};
