import * as z from "zod/mini";
import { parse } from "../check/index.ts";
import type { Tensor } from "../graph/index.ts";
import type { NetworkOptions } from "../nn/index.ts";
import { MIN_SQUARED_NORM } from "../numerics/index.ts";
import { type Description, sizeSchema } from "../parts/index.ts";
import type { Random } from "../random/index.ts";
import { AmortizedParameters, amortizedFields } from "./amortized.ts";
import type { Bijection, BijectionKind, Transformed } from "./bijection.ts";
import type { ScalarTransformed } from "./scalar/scalarTransform.ts";
import { invertTanhResidual, positiveSlope, tanhResidual } from "./tanhResidual.ts";

const planarSchema = z.strictObject({
  type: z.literal("planar"),
  features: sizeSchema,
  activation: z._default(z.enum(["tanh", "leakyRelu"]), "tanh"),
  ...amortizedFields,
});

/** Options of `Planar`. */
export interface PlanarOptions {
  /** D, the number of columns of a row. */
  features: number;
  /** The activation h: tanh, or a leaky relu of slope 1/100. Default `tanh`. */
  activation?: "tanh" | "leakyRelu" | undefined;
  /** C, the number of context features. Default 0: an unconditional map. */
  context?: number | undefined;
  /**
   * The network that computes the parameters from the context; only for a conditional map. Default two hidden layers
   * of 64 units with relu.
   */
  network?: NetworkOptions | undefined;
}

/** The slope of the leaky relu below 0. */
const LEAKY_SLOPE = 0.01;

/**
 * Planar flow, x = z + û h(w·z + b) (Rezende and Mohamed 2015, "Variational inference with normalizing flows"), with h = tanh or
 * a leaky relu of slope 1/100.
 *
 * It is invertible where 1 + h'(.) w·û > 0. Therefore û = u + (s - 1 - w·u) w / |w|^2, so that w·û = s - 1, with
 * s = softplus(w·u + c) + 1/1000 > 0 and c such that u = 0 gives s = 1 and û = 0, the identity. By the matrix determinant lemma
 * log |det dx/dz| = log(1 + h'(w·z + b) (s - 1)).
 *
 * `forward` is closed form, as in the paper; for a closed-form density take `new Invert(planar)`. `inverse` solves
 * a + (s - 1) h(a) = w·x + b for the scalar a = w·z + b: by root finding for tanh, in closed form for the leaky relu.
 *
 * With a context, a network computes offsets of u, w and b for each row.
 */
export class Planar implements Bijection {
  readonly features: number;
  readonly context: number;
  readonly parameters: AmortizedParameters;
  private readonly options: z.output<typeof planarSchema>;

  /** `random` draws w from N(0, I / D), so that w·z has variance 1 on average. Throws `ARGUMENT` if the options are not valid. */
  constructor(options: PlanarOptions, random: Random) {
    this.options = parse(planarSchema, { type: "planar", ...options }, "a planar map");
    const { features, context } = this.options;
    this.features = features;
    this.context = context;
    const normal = () => random.split("w").normal(new Float32Array(features));
    const w = { shape: [features], values: () => normal().map((v) => v / Math.sqrt(features)) };
    this.parameters = new AmortizedParameters(
      { u: { shape: [features] }, w, b: { shape: [1] } },
      this.options,
      random,
    );
  }

  forward(z: Tensor, context?: Tensor): Transformed {
    const { w, direction, b, s } = this.coefficients(context);
    const a = affineForm(z, w, b);
    const { logDerivative } = this.scalarMap(a, s);
    return { value: addMultiple(z, this.h(a), direction), logDet: logDerivative.reshape(["N"]) };
  }

  inverse(x: Tensor, context?: Tensor): Transformed {
    const { w, direction, b, s } = this.coefficients(context);
    const { value: a, logDerivative } = this.invertScalarMap(affineForm(x, w, b), s);
    return { value: addMultiple(x, this.h(a), direction.neg()), logDet: logDerivative.reshape(["N"]) };
  }

  /** w, û (`direction`), b and s. */
  private coefficients(context?: Tensor) {
    const { u, w, b } = this.parameters.forContext(context);
    const wu = dot(u, w);
    const s = positiveSlope(wu);
    const direction = u.add(w.mul(s.sub(1).sub(wu).div(dot(w, w).maximum(MIN_SQUARED_NORM))));
    return { w, direction, b, s };
  }

  private h(a: Tensor): Tensor {
    return this.options.activation === "tanh" ? a.tanh() : a.leakyRelu(LEAKY_SLOPE);
  }

  /** a + (s - 1) h(a), which is w·x + b for a = w·z + b. */
  private scalarMap(a: Tensor, s: Tensor): ScalarTransformed {
    if (this.options.activation === "tanh") return tanhResidual(a, s);
    const slope = leakySlope(a, s);
    return { value: a.mul(slope), logDerivative: slope.log() };
  }

  private invertScalarMap(value: Tensor, s: Tensor): ScalarTransformed {
    if (this.options.activation === "tanh") return invertTanhResidual(value, s);
    const slope = leakySlope(value, s);
    return { value: value.div(slope), logDerivative: slope.log().neg() };
  }

  describe(): Description {
    return this.options;
  }
}

/** The slope of a + (s - 1) h(a) for the leaky relu. It is positive, so a and the result have the same sign. */
const leakySlope = (a: Tensor, s: Tensor): Tensor =>
  a.greater(0).where(s, s.mul(LEAKY_SLOPE).add(1 - LEAKY_SLOPE));

/** The dot product of two vectors [D], or of each row of two tensors [N, D]: [] or [N, 1]. */
const dot = (a: Tensor, b: Tensor): Tensor => a.mul(b).sum(-1, { keepAxes: a.rank > 1 });

/** w·x + b, [N, 1], for w [D] or [N, D]. */
const affineForm = (x: Tensor, w: Tensor, b: Tensor): Tensor =>
  w.rank > 1 ? dot(x, w).add(b) : x.affine(w.reshape([w.shape[0], 1]), b);

/** x + h û, [N, D], for h [N, 1] and û [D] or [N, D]. */
const addMultiple = (x: Tensor, h: Tensor, direction: Tensor): Tensor =>
  direction.rank > 1 ? x.add(direction.mul(h)) : h.affine(direction.reshape([1, direction.shape[0]]), x);

export const planarKind: BijectionKind<typeof planarSchema> = {
  schema: planarSchema,
  build: ({ type: _, ...options }, random) => new Planar(options, random),
};
