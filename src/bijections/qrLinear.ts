import * as z from "zod/mini";
import { parse } from "../check/index.ts";
import { Parameter, type Tensor, WEIGHT } from "../graph/index.ts";
import { LOG_BOUND } from "../numerics/index.ts";
import { type Description, sizeSchema } from "../parts/index.ts";
import type { Random } from "../random/index.ts";
import type { Bijection, BijectionKind, Transformed } from "./bijection.ts";
import { defaultReflections, pairedParameter, reflectionsSchema } from "./householder.ts";
import { reflectionMatrix } from "./reflections.ts";
import { diagonalMatrix, invertUpper } from "./triangles.ts";

const qrLinearSchema = z.strictObject({
  type: z.literal("qrLinear"),
  features: sizeSchema,
  reflections: reflectionsSchema,
});

/** Options of `QRLinear`. */
export interface QRLinearOptions {
  /** D, the number of columns of a row. */
  features: number;
  /** K, an even number of Householder reflections. Default 2 floor(D / 2), which suffices for every rotation. */
  reflections?: number | undefined;
}

/**
 * Linear map by a QR decomposition: z = x Q R + b, where the rotation Q is a product of K Householder reflections and R is upper
 * triangular with a positive diagonal: log |det dz/dx| = sum log diag R (Hoogeboom et al. 2019, "Emerging convolutions for
 * generative normalizing flows"). With the default K, Q R can be any matrix with a positive determinant, which an LU
 * decomposition without a permutation cannot. It starts as the identity.
 */
export class QRLinear implements Bijection {
  readonly features: number;
  readonly context = 0;
  readonly actsOnLastAxis = true;
  readonly reflections: number;
  /** [K, D]; undefined for K = 0. */
  readonly vectors: Parameter | undefined;
  readonly upper: Parameter;
  readonly logDiagonal: Parameter;
  readonly bias: Parameter;

  /** Throws `ARGUMENT` if the options are not valid. */
  constructor(options: QRLinearOptions, random: Random) {
    const parsed = parse(qrLinearSchema, { type: "qrLinear", ...options }, "a QR linear map");
    const { features, reflections = defaultReflections(features) } = parsed;
    this.features = features;
    this.reflections = reflections;
    this.vectors = pairedParameter(reflections, features, random);
    this.upper = new Parameter([features, features], 0, { domain: WEIGHT });
    this.logDiagonal = new Parameter([features], 0);
    this.bias = new Parameter([features], 0);
  }

  inverse(x: Tensor): Transformed {
    const { upper, logDiagonal } = this.triangle();
    const weight = this.vectors ? reflectionMatrix(this.vectors).matmul(upper) : upper;
    return { value: x.affine(weight, this.bias), logDet: logDiagonal.sum() };
  }

  forward(z: Tensor): Transformed {
    const { upper, logDiagonal } = this.triangle();
    const xQ = z.sub(this.bias).matmul(invertUpper(upper));
    const value = this.vectors ? xQ.matmul(reflectionMatrix(this.vectors), { transposeB: true }) : xQ;
    return { value, logDet: logDiagonal.sum().neg() };
  }

  private triangle() {
    const logDiagonal = this.logDiagonal.softClamp(LOG_BOUND);
    return { upper: this.upper.upperTriangle(1).add(diagonalMatrix(logDiagonal.exp())), logDiagonal };
  }

  describe(): Description {
    return { type: "qrLinear", features: this.features, reflections: this.reflections };
  }
}

export const qrLinearKind: BijectionKind<typeof qrLinearSchema> = {
  schema: qrLinearSchema,
  build: ({ type: _, ...options }, random) => new QRLinear(options, random),
};
