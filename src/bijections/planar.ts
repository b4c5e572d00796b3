import * as z from "zod/mini";
import { sizeSchema } from "../description.ts";
import type { Tensor } from "../graph/tensor.ts";
import type { NetworkOptions } from "../nn/mlp.ts";
import { parse } from "../parse.ts";
import type { Random } from "../random/index.ts";
import { Amortized, amortizedFields } from "./amortized.ts";
import type { Bijection, BijectionKind, Description, Transformed } from "./bijection.ts";
import type { ScalarTransformed } from "./scalar/scalarTransform.ts";
import { positiveSlope, tanhBend, unbend } from "./slope.ts";

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
  /** h. Default `tanh`. */
  activation?: "tanh" | "leakyRelu";
  /** C, the number of context features. Default 0: an unconditional map. */
  context?: number;
  /**
   * The network that computes the parameters from the context; only for a conditional map. Default two hidden layers
   * of 64 units with relu.
   */
  network?: NetworkOptions;
}

/** The slope of the leaky relu below 0. */
const LEAK = 0.01;
/** Below this a squared norm counts as this, so that w = 0 gives no bend instead of a NaN. */
const TINY = 1e-30;

/**
 * x = z + û h(w·z + b): bends space across the plane w·z + b = 0 (Rezende and Mohamed 2015, "Variational inference with
 * normalizing flows"), with h = tanh or a leaky relu of slope 1/100.
 *
 * It is invertible where 1 + h'(.) w·û > 0. So the part of û along w is set: û = u + (s - 1 - w·u) w / |w|^2 gives
 * w·û = s - 1, with s = softplus(w·u + c) + 1/1000 > 0 and c such that u = 0 gives s = 1 and û = 0, the identity.
 * log |det dx/dz| = log(1 + h'(w·z + b) (s - 1)), by the matrix determinant lemma.
 *
 * `forward` is closed form, as in the paper; `new Invert(planar)` has a closed-form density. The other direction solves
 * a + (s - 1) h(a) = w·x + b for the scalar a = w·z + b: by root finding for tanh, in closed form for the leaky relu.
 *
 * With a context a network adds to u, w and b of each row.
 */
export class Planar implements Bijection {
  readonly features: number;
  readonly context: number;
  readonly parameters: Amortized;
  private readonly options: z.output<typeof planarSchema>;

  /** w is drawn at random, such that w·z has variance 1 or so. Throws `ARGUMENT` if the options do not fit. */
  constructor(options: PlanarOptions, random: Random) {
    this.options = parse(planarSchema, { type: "planar", ...options }, "a planar map");
    const { features, context } = this.options;
    this.features = features;
    this.context = context;
    const normal = () => random.split("w").normal(new Float32Array(features));
    const w = { shape: [features], values: () => normal().map((v) => v / Math.sqrt(features)) };
    this.parameters = new Amortized({ u: { shape: [features] }, w, b: { shape: [1] } }, this.options, random);
  }

  forward(z: Tensor, context?: Tensor): Transformed {
    const { w, direction, b, s } = this.bend(context);
    const a = height(z, w, b);
    const { logDerivative } = this.along(a, s);
    return { value: moved(z, this.h(a), direction), logDet: logDerivative.reshape(["N"]) };
  }

  inverse(x: Tensor, context?: Tensor): Transformed {
    const { w, direction, b, s } = this.bend(context);
    const { value: a, logDerivative } = this.back(height(x, w, b), s);
    return { value: moved(x, this.h(a), direction.neg()), logDet: logDerivative.reshape(["N"]) };
  }

  private bend(context?: Tensor) {
    const { u, w, b } = this.parameters.given(context);
    const along = dot(u, w);
    const s = positiveSlope(along);
    const direction = u.add(w.mul(s.sub(1).sub(along).div(dot(w, w).maximum(TINY))));
    return { w, direction, b, s };
  }

  private h(a: Tensor): Tensor {
    return this.options.activation === "tanh" ? a.tanh() : a.leakyRelu(LEAK);
  }

  /** What happens along w: a + (s - 1) h(a). */
  private along(a: Tensor, s: Tensor): ScalarTransformed {
    if (this.options.activation === "tanh") return tanhBend(a, s);
    const slope = leakySlope(a, s);
    return { value: a.mul(slope), logDerivative: slope.log() };
  }

  private back(value: Tensor, s: Tensor): ScalarTransformed {
    if (this.options.activation === "tanh") return unbend(value, s);
    const slope = leakySlope(value, s);
    return { value: value.div(slope), logDerivative: slope.log().neg() };
  }

  describe(): Description {
    return this.options;
  }
}

/** Both slopes are positive, so a and a + (s - 1) h(a) have the same sign. */
const leakySlope = (a: Tensor, s: Tensor): Tensor => a.greater(0).where(s, s.mul(LEAK).add(1 - LEAK));

/** Over features: [D] and [D] -> [], [N, D] and [N, D] -> [N, 1]. */
const dot = (a: Tensor, b: Tensor): Tensor => a.mul(b).sum(-1, { keepAxes: a.rank > 1 });

/** x·w + b, [N, 1]; what is the same for all rows takes one product. */
const height = (x: Tensor, w: Tensor, b: Tensor): Tensor =>
  w.rank > 1 ? dot(x, w).add(b) : x.affine(w.reshape([w.shape[0], 1]), b);

/** x + h û, [N, D], for h [N, 1]. */
const moved = (x: Tensor, h: Tensor, direction: Tensor): Tensor =>
  direction.rank > 1 ? x.add(direction.mul(h)) : h.affine(direction.reshape([1, direction.shape[0]]), x);

export const planarKind: BijectionKind<typeof planarSchema> = {
  schema: planarSchema,
  build: ({ type: _, ...options }, random) => new Planar(options, random),
};
