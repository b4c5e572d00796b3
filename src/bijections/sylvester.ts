import * as z from "zod/mini";
import { countSchema, sizeSchema } from "../description.ts";
import { concat, scalar, type Tensor } from "../graph/tensor.ts";
import type { NetworkOptions } from "../nn/mlp.ts";
import { parse } from "../parse.ts";
import type { Random } from "../random/index.ts";
import { Amortized, amortizedFields } from "./amortized.ts";
import type { Bijection, BijectionKind, Description, Transformed } from "./bijection.ts";
import { randomVectors, reflect, reflectionMatrix } from "./reflections.ts";
import { positiveSlope, tanhBend, unbend } from "./slope.ts";

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
  /** M, the number of directions that are bent, at most D. Default D, but no more than 8. */
  columns?: number;
  /**
   * K, the number of Householder reflections whose product gives Q. Default as many as any Q needs; with 0, Q is the
   * first M columns of the identity.
   */
  reflections?: number;
  /** C, the number of context features. Default 0: an unconditional map. */
  context?: number;
  /**
   * The network that computes the parameters from the context; only for a conditional map. Default two hidden layers
   * of 64 units with relu.
   */
  network?: NetworkOptions;
}

const LOG_SCALE_BOUND = Math.log(1000);

/**
 * x = z + Q R tanh(R~ Q^T z + b): a planar flow of M directions at once (van den Berg et al. 2018, "Sylvester normalizing flows
 * for variational inference"). The M columns of Q [D, M] are orthonormal, R and R~ [M, M] are upper triangular.
 *
 * Q is a product of K Householder reflections, so that it is orthonormal exactly, for any M: K = M <= D is the paper's
 * orthogonal variant, M = D its Householder one, K = 0 its triangular one (with a `Permutation` between the layers).
 *
 * log |det dx/dz| = sum_i log(1 + tanh'(.) r_ii r~_ii) by Sylvester's identity. The map is invertible where all of these
 * are positive, which is where r_ii r~_ii > -1: r~_ii = exp(.), and r_ii = (s_i - 1) / r~_ii with s_i = softplus(.) + 1/1000 > 0.
 * That is all of it: a sign of r~_ii can be moved to r_ii, since tanh is odd. At its start R = 0, the identity.
 *
 * `forward` is closed form, as in the paper. `inverse` solves for Q^T z from the last element to the first: each is the
 * root of an equation in one variable once those after it are known.
 */
export class Sylvester implements Bijection {
  readonly features: number;
  readonly context: number;
  readonly parameters: Amortized;
  private readonly columns: number;
  private readonly options: Description;

  /** Reflections are drawn at random. Throws `ARGUMENT` if the options do not fit. */
  constructor(options: SylvesterOptions, random: Random) {
    const parsed = parse(sylvesterSchema, { type: "sylvester", ...options }, "a Sylvester map");
    const { features, context, columns = Math.min(features, 8) } = parsed;
    const { reflections = Math.min(columns, features - 1) } = parsed;
    this.features = features;
    this.context = context;
    this.columns = columns;
    this.options = { ...parsed, columns, reflections };
    const triangle = { shape: [(columns * (columns - 1)) / 2] };
    this.parameters = new Amortized(
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
    const { into, outOf, outer, inner, b, s } = this.factors(context);
    const a = times(inner, into(z)).add(b);
    const logDet = tanhBend(a, s).logDerivative.sum(-1);
    return { value: z.add(outOf(times(outer, a.tanh()))), logDet };
  }

  inverse(x: Tensor, context?: Tensor): Transformed {
    const { into, outOf, outer, inner, b, s } = this.factors(context);
    const y = into(x);
    const M = this.columns;
    // What is known, each a column [N, 1]: elements i + 1 ... M - 1 of Q^T z, and of the tanh.
    let before: Tensor[] = [];
    let bent: Tensor[] = [];
    let logDet = scalar(0);
    for (let i = M - 1; i >= 0; i--) {
      const column = (t: Tensor) => t.slice(-1, i, i + 1);
      const entry = (matrix: Tensor) => column(row(matrix, i));
      const owed = (matrix: Tensor, known: Tensor[]) =>
        row(matrix, i)
          .slice(-1, i + 1, M)
          .mul(concat(known, 1))
          .sum(-1, { keepAxes: true });
      const last = i === M - 1;
      const rest = last ? column(y) : column(y).sub(owed(outer, bent));
      const offset = last ? column(b) : column(b).add(owed(inner, before));
      const { value: a, logDerivative } = unbend(rest.mul(entry(inner)).add(offset), column(s));
      const h = a.tanh();
      bent = [h, ...bent];
      before = [rest.sub(entry(outer).mul(h)), ...before];
      logDet = logDet.add(logDerivative.reshape(["N"]));
    }
    return { value: x.sub(outOf(times(outer, concat(bent, 1)))), logDet };
  }

  private factors(context?: Tensor) {
    const { vectors, outer, inner, logDiagonal, slope, b } = this.parameters.given(context);
    const s = positiveSlope(slope);
    const diagonal = logDiagonal.softClamp(LOG_SCALE_BOUND).exp();
    return {
      ...this.frame(vectors),
      outer: upperTriangular(s.sub(1).div(diagonal), outer),
      inner: upperTriangular(diagonal, inner),
      b,
      s,
    };
  }

  /** The products with Q: rows [N, D] into [N, M], and back. */
  private frame(vectors: Tensor | undefined) {
    const [D, M] = [this.features, this.columns];
    if (vectors?.rank === 2) {
      const q = reflectionMatrix(vectors).slice(1, 0, M);
      return {
        into: (u: Tensor) => u.matmul(q),
        outOf: (y: Tensor) => y.matmul(q, { transposeB: true }),
      };
    }
    const turn = (u: Tensor, back: boolean) => (vectors ? reflect(u, vectors, { back }) : u);
    return {
      into: (u: Tensor) => turn(u, false).slice(1, 0, M),
      outOf: (y: Tensor) => turn(y.pad(1, 0, D - M), true),
    };
  }

  describe(): Description {
    return this.options;
  }
}

/** Row i of matrices [..., M, M]: [..., M]. */
const row = (matrix: Tensor, i: number): Tensor =>
  matrix.slice(-2, i, i + 1).reshape([...matrix.shape.slice(0, -2), matrix.shape.at(-1)!]);

/** A y for each row y of [N, M]; A is [M, M], or [N, M, M] for another one in each row. */
function times(matrix: Tensor, y: Tensor): Tensor {
  if (matrix.rank === 2) return y.matmul(matrix, { transposeB: true });
  const [rows, size] = matrix.shape;
  return matrix.mul(y.reshape([rows, 1, size])).sum(-1);
}

/** Matrices [..., M, M] from their diagonals [..., M] and what is above these, row by row. */
function upperTriangular(diagonal: Tensor, above: Tensor | undefined): Tensor {
  const M = diagonal.shape.at(-1) as number;
  const leading = diagonal.shape.slice(0, -1);
  if (!above) return diagonal.reshape([...leading, 1, 1]);
  const start = (i: number) => M + (i * (2 * M - i - 1)) / 2;
  // Below the diagonal stands what is above it, until it is cut off: no number is needed more than twice.
  const places = Array.from({ length: M * M }, (_, k) => {
    const [i, j] = [Math.floor(k / M), k % M].sort((p, q) => p - q);
    return i === j ? i : start(i) + (j - i - 1);
  });
  return concat([diagonal, above], -1)
    .gather(-1, places)
    .reshape([...leading, M, M])
    .upperTriangle();
}

export const sylvesterKind: BijectionKind<typeof sylvesterSchema> = {
  schema: sylvesterSchema,
  build: ({ type: _, ...options }, random) => new Sylvester(options, random),
};
