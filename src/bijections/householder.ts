import * as z from "zod/mini";
import { parse } from "../check/index.ts";
import { Parameter, scalar, type Tensor, WEIGHT } from "../graph/index.ts";
import { countSchema, type Description, sizeSchema } from "../parts/index.ts";
import type { Random } from "../random/index.ts";
import type { Bijection, BijectionKind, Transformed } from "./bijection.ts";
import { pairedVectors, reflectionMatrix } from "./reflections.ts";

/** K, an even number: a product of an odd number of reflections has determinant -1, so it cannot start as the identity. */
export const reflectionsSchema = z.optional(countSchema.check(z.multipleOf(2, { error: "an even number" })));

/** The number of reflections that suffices for every rotation of D features. */
export const defaultReflections = (features: number): number => 2 * Math.floor(features / 2);

const householderSchema = z.strictObject({
  type: z.literal("householder"),
  features: sizeSchema,
  reflections: reflectionsSchema,
});

/** Options of `Householder`. */
export interface HouseholderOptions {
  /** D, the number of columns of a row. */
  features: number;
  /** K, an even number of Householder reflections. Default 2 floor(D / 2), which suffices for every rotation. */
  reflections?: number | undefined;
}

/**
 * Householder flow: the rotation x = z H_1 H_2 ... H_K with the reflections H_k = I - 2 v_k v_k^T / |v_k|^2 of learned vectors
 * v_k (Tomczak and Welling 2016, "Improving variational auto-encoders using Householder flow"). It preserves volume. It starts as
 * the identity, because the initial random vectors form pairs of equal ones, whose reflections cancel.
 */
export class Householder implements Bijection {
  readonly features: number;
  readonly context = 0;
  readonly actsOnLastAxis = true;
  readonly reflections: number;
  /** [K, D]; undefined for K = 0. */
  readonly vectors: Parameter | undefined;

  /** Throws `ARGUMENT` if the options are not valid. */
  constructor(options: HouseholderOptions, random: Random) {
    const parsed = parse(householderSchema, { type: "householder", ...options }, "a Householder map");
    const { features, reflections = defaultReflections(features) } = parsed;
    this.features = features;
    this.reflections = reflections;
    this.vectors = pairedParameter(reflections, features, random);
  }

  forward(z: Tensor): Transformed {
    const value = this.vectors ? z.matmul(reflectionMatrix(this.vectors)) : z;
    return { value, logDet: scalar(0) };
  }

  inverse(x: Tensor): Transformed {
    const value = this.vectors ? x.matmul(reflectionMatrix(this.vectors), { transposeB: true }) : x;
    return { value, logDet: scalar(0) };
  }

  describe(): Description {
    return { type: "householder", features: this.features, reflections: this.reflections };
  }
}

/** Vectors [K, D] whose reflections start as the identity; undefined for K = 0. */
export const pairedParameter = (reflections: number, features: number, random: Random) =>
  reflections > 0
    ? new Parameter([reflections, features], () => pairedVectors(reflections, features, random), {
        domain: WEIGHT,
      })
    : undefined;

export const householderKind: BijectionKind<typeof householderSchema> = {
  schema: householderSchema,
  build: ({ type: _, ...options }, random) => new Householder(options, random),
};
