import * as z from "zod/mini";
import { parse } from "../check/index.ts";
import { concat, scalar, type Tensor } from "../graph/index.ts";
import type { NetworkOptions } from "../nn/index.ts";
import { LOG_BOUND } from "../numerics/index.ts";
import { countSchema, type Description, sizeSchema } from "../parts/index.ts";
import type { Random } from "../random/index.ts";
import { AmortizedParameters, amortizedFields } from "./amortized.ts";
import type { Bijection, BijectionKind, Transformed } from "./bijection.ts";
import { randomVectors, reflect, reflectionMatrix } from "./reflections.ts";
import { invertTanhResidual, positiveSlope, tanhResidual } from "./tanhResidual.ts";

const sylvesterSchema = z
  .strictObject({
    type: z.literal("sylvester"),
    features: sizeSchema,
    columns: z.optional(sizeSchema),
    reflections: z.optional(countSchema),
    ...amortizedFields,
  })
  .check(
    z.refine(({ features, columns }) => columns === undefined || columns <= features, {
      path: ["columns"],
      error: "no more columns than features",
    }),
  );

/** Options of `Sylvester`. */
export interface SylvesterOptions {
  /** D, the number of columns of a row. */
  features: number;
  /** M, the number of columns of Q, at most D: the map is nonlinear along M directions. Default min(D, 8). */
  columns?: number | undefined;
  /**
   * K, the number of Householder reflections whose product is Q. Default min(M, D - 1), which suffices for every Q. With 0,
   * Q is the first M columns of the identity.
   */
  reflections?: number | undefined;
  /** C, the number of context features. Default 0: an unconditional map. */
  context?: number | undefined;
  /**
   * The network that computes the parameters from the context; only for a conditional map. Default two hidden layers
   * of 64 units with relu.
   */
  network?: NetworkOptions | undefined;
}

/**
 * Sylvester flow, x = z + Q R tanh(R~ Q^T z + b): a planar flow along M directions at once (van den Berg et al. 2018, "Sylvester
 * normalizing flows for variational inference"). The M columns of Q [D, M] are orthonormal, R and R~ [M, M] upper triangular.
 *
 * Q is a product of K Householder reflections, so it is exactly orthonormal for any M. K = M <= D is the paper's orthogonal
 * variant, M = D its Householder variant, K = 0 its triangular variant (with a `Permutation` between the layers).
 *
 * By Sylvester's identity log |det dx/dz| = sum_i log(1 + tanh'(.) r_ii r~_ii). The map is invertible if r_ii r~_ii > -1 for
 * all i: r~_ii = exp(.) and r_ii = (s_i - 1) / r~_ii with s_i = softplus(.) + 1/1000 > 0. This loses no generality, since tanh is
 * odd: a negative sign of r~_ii can be moved to r_ii. It starts as the identity, R = 0.
 *
 * `forward` is closed form, as in the paper. `inverse` solves for the elements of Q^T z from the last to the first; each is
 * the root of an equation in one variable.
 *
 * With a context, a network computes offsets of all parameters for each row.
 */
export class Sylvester implements Bijection {
  readonly features: number;
  readonly context: number;
  readonly parameters: AmortizedParameters;
  private readonly columns: number;
  private readonly options: Description;

  /** `random` draws the reflections. Throws `ARGUMENT` if the options are not valid. */
  constructor(options: SylvesterOptions, random: Random) {
    const parsed = parse(sylvesterSchema, { type: "sylvester", ...options }, "a Sylvester map");
    const { features, context, columns = Math.min(features, 8) } = parsed;
    const { reflections = Math.min(columns, features - 1) } = parsed;
    this.features = features;
    this.context = context;
    this.columns = columns;
    this.options = { ...parsed, columns, reflections };
    const triangle = { shape: [(columns * (columns - 1)) / 2] };
    this.parameters = new AmortizedParameters(
      {
        ...(reflections > 0 && {
          vectors: {
            shape: [reflections, features],
            values: () => randomVectors(reflections, features, random.split("vectors")),
          },
        }),
        ...(columns > 1 && { outer: triangle, inner: triangle }),
        logDiagonal: { shape: [columns] },
        slope: { shape: [columns] },
        b: { shape: [columns] },
      },
      parsed,
      random,
    );
  }

  forward(z: Tensor, context?: Tensor): Transformed {
    const { project, embed, outer, inner, b, s } = this.factors(context);
    const a = times(inner, project(z)).add(b);
    const logDet = tanhResidual(a, s).logDerivative.sum(-1);
    return { value: z.add(embed(times(outer, a.tanh()))), logDet };
  }

  inverse(x: Tensor, context?: Tensor): Transformed {
    const { project, embed, outer, inner, b, s } = this.factors(context);
    const y = project(x);
    const M = this.columns;
    // With p = Q^T z and h = tanh(a), a = R~ p + b, row i of y = p + R h contains only elements j >= i. So p and h are solved
    // from the last element to the first, by a_i + (s_i - 1) tanh(a_i) = r~_ii (y_i - sum_{j>i} r_ij h_j) + sum_{j>i} r~_ij p_j +
    // b_i. `projected` and `activations` hold elements i + 1 ... M - 1 of p and h, each a column [N, 1].
    let projected: Tensor[] = [];
    let activations: Tensor[] = [];
    let logDet = scalar(0);
    for (let i = M - 1; i >= 0; i--) {
      const column = (t: Tensor) => t.slice(-1, i, i + 1);
      const entry = (matrix: Tensor) => column(row(matrix, i));
      const sumAboveDiagonal = (matrix: Tensor, columns: Tensor[]) =>
        row(matrix, i)
          .slice(-1, i + 1, M)
          .mul(concat(columns, 1))
          .sum(-1, { keepAxes: true });
      const isLast = i === M - 1;
      const difference = isLast ? column(y) : column(y).sub(sumAboveDiagonal(outer, activations));
      const offset = isLast ? column(b) : column(b).add(sumAboveDiagonal(inner, projected));
      const { value: a, logDerivative } = invertTanhResidual(
        difference.mul(entry(inner)).add(offset),
        column(s),
      );
      const h = a.tanh();
      activations = [h, ...activations];
      projected = [difference.sub(entry(outer).mul(h)), ...projected];
      logDet = logDet.add(logDerivative.reshape(["N"]));
    }
    return { value: x.sub(embed(times(outer, concat(activations, 1)))), logDet };
  }

  /** The factors of the map: products with Q (`project`, `embed`), R (`outer`), R~ (`inner`), b and s. */
  private factors(context?: Tensor) {
    const { vectors, outer, inner, logDiagonal, slope, b } = this.parameters.forContext(context);
    const s = positiveSlope(slope);
    const diagonal = logDiagonal.softClamp(LOG_BOUND).exp();
    return {
      ...this.orthonormalProducts(vectors),
      outer: upperTriangular(s.sub(1).div(diagonal), outer),
      inner: upperTriangular(diagonal, inner),
      b,
      s,
    };
  }

  /** The products of rows u [N, D] with Q, [N, M], and of rows y [N, M] with Q^T, [N, D]. */
  private orthonormalProducts(vectors: Tensor | undefined) {
    const [D, M] = [this.features, this.columns];
    if (vectors?.rank === 2) {
      const q = reflectionMatrix(vectors).slice(1, 0, M);
      return {
        project: (u: Tensor) => u.matmul(q),
        embed: (y: Tensor) => y.matmul(q, { transposeB: true }),
      };
    }
    const rotate = (u: Tensor, inverse: boolean) => (vectors ? reflect(u, vectors, { inverse }) : u);
    return {
      project: (u: Tensor) => rotate(u, false).slice(1, 0, M),
      embed: (y: Tensor) => rotate(y.pad(1, 0, D - M), true),
    };
  }

  describe(): Description {
    return this.options;
  }
}

/** Row i of matrices [..., M, M]: [..., M]. */
const row = (matrix: Tensor, i: number): Tensor =>
  matrix.slice(-2, i, i + 1).reshape([...matrix.shape.slice(0, -2), matrix.shape.at(-1)!]);

/** A y for each row y of [N, M]; A is [M, M], or [N, M, M] with a matrix for each row. */
function times(matrix: Tensor, y: Tensor): Tensor {
  if (matrix.rank === 2) return y.matmul(matrix, { transposeB: true });
  const [rows, size] = matrix.shape;
  return matrix.mul(y.reshape([rows, 1, size])).sum(-1);
}

/** Upper triangular matrices [..., M, M] from their diagonals [..., M] and their entries above the diagonal, row by row. */
function upperTriangular(diagonal: Tensor, above: Tensor | undefined): Tensor {
  const M = diagonal.shape.at(-1) as number;
  const leading = diagonal.shape.slice(0, -1);
  if (!above) return diagonal.reshape([...leading, 1, 1]);
  const start = (i: number) => M + (i * (2 * M - i - 1)) / 2;
  // `gather` needs an index for every entry, so it makes a symmetric matrix, whose lower triangle is then set to 0.
  const indices = Array.from({ length: M * M }, (_, k) => {
    const [i, j] = [Math.floor(k / M), k % M].sort((p, q) => p - q);
    return i === j ? i : start(i) + (j - i - 1);
  });
  return concat([diagonal, above], -1)
    .gather(-1, indices)
    .reshape([...leading, M, M])
    .upperTriangle();
}

export const sylvesterKind: BijectionKind<typeof sylvesterSchema> = {
  schema: sylvesterSchema,
  build: ({ type: _, ...options }, random) => new Sylvester(options, random),
};
