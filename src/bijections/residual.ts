import * as z from "zod/mini";
import { parse } from "../check/index.ts";
import {
  epsilon,
  filled,
  isTraining,
  loop,
  scalar,
  spectralBound,
  type Tensor,
  vjp,
  withImplicitGradient,
} from "../graph/index.ts";
import {
  Linear,
  linearLayers,
  MAX_FEATURES_FOR_EXACT_TRACE,
  requireColumns,
  type TraceEstimator,
  traceEstimatorSchema,
} from "../nn/index.ts";
import { countSchema, type Description, MAX_LAYERS, sizeSchema } from "../parts/index.ts";
import type { Random } from "../random/index.ts";
import type { Bijection, BijectionKind, Transformed } from "./bijection.ts";
import { eliminate } from "./elimination.ts";
import { russianRouletteLogDet } from "./russianRoulette.ts";
import { identityMatrix } from "./triangles.ts";

const residualSchema = z.strictObject({
  type: z.literal("residual"),
  features: sizeSchema,
  context: z._default(countSchema, 0),
  hidden: z._default(z.array(sizeSchema).check(z.maxLength(MAX_LAYERS), z.minLength(1)), [64, 64]),
  lipschitz: z._default(z.number().check(z.positive(), z.maximum(0.99)), 0.9),
  trace: z.optional(traceEstimatorSchema),
});

/** Options of `Residual`. */
export interface ResidualOptions {
  /** D, the number of columns of a row. */
  features: number;
  /** C, the number of context features. Default 0: an unconditional map. */
  context?: number | undefined;
  /** Widths of the hidden layers. Default [64, 64]. */
  hidden?: number[] | undefined;
  /** c, an upper bound of the Lipschitz constant of g, in (0, 0.99]. Default 0.9. */
  lipschitz?: number | undefined;
  /** The log-determinant in training: `exact`, or estimated. Default `exact` for up to 16 features, otherwise `hutchinson`. */
  trace?: TraceEstimator | undefined;
}

/**
 * Residual flow, z = x + g(x), where the network g has a Lipschitz constant of at most c < 1: an invertible residual network
 * (Behrmann et al. 2019; Chen et al. 2019) with a free-form Jacobian.
 *
 * Each of the K weight matrices whose spectral norm exceeds c^(1/K) is scaled down to it. The graph computes an upper bound of
 * the norm (see `spectralBound`) and its gradient, so the Lipschitz bound holds at every step of training. Activations are
 * LipSwish, x sigmoid(x) / 1.1. The context enters the first layer, whose weights for it are not bounded.
 *
 * The log-determinant is exact: D tangents are pushed through the network to get the Jacobian, whose determinant takes D^3
 * operations. With `trace: "hutchinson"` a training step uses an unbiased estimate instead, at the cost of a few
 * Jacobian-vector products (see `russianRouletteLogDet`). Evaluation is always exact.
 *
 * `forward` solves x = z - g(x) by fixed-point iteration to machine precision; its gradient solves (I + J^T) v = w. It would
 * return NaN if the iteration did not converge, which the Lipschitz bound rules out.
 */
export class Residual implements Bijection {
  readonly features: number;
  readonly context: number;
  readonly network: readonly Linear[];
  /** Maps the context to the first hidden layer. */
  readonly fromContext: Linear | undefined;
  private readonly options: z.output<typeof residualSchema>;

  /** Throws `ARGUMENT` if the options are not valid. */
  constructor(options: ResidualOptions, random: Random) {
    this.options = parse(residualSchema, { type: "residual", ...options }, "a residual flow");
    const { features, context, hidden } = this.options;
    this.features = features;
    this.context = context;
    const sizes = [features, ...hidden, features];
    this.network = linearLayers(sizes, random);
    if (context > 0) this.fromContext = new Linear(context, hidden[0], random.split("context"));
  }

  inverse(x: Tensor, context?: Tensor): Transformed {
    const g = this.evaluate(x, this.boundedWeights(), context);
    return { value: x.add(g.value), logDet: this.logDet(g) };
  }

  forward(z: Tensor, context?: Tensor): Transformed {
    const weights = this.boundedWeights();
    const { lipschitz } = this.options;
    const g = (x: Tensor) => this.evaluate(x, weights, context);
    const solution = fixedPoint((x) => z.sub(g(x).value), z, lipschitz);
    /** Solves (I + J^T) v = w. */
    const solveTransposed = (w: Tensor, x: Tensor) => {
      const evaluation = g(x);
      if (!this.estimatesLogDet) return eliminate(plusIdentity(evaluation.jacobian())).solve(w);
      // Scaled to 1, since the tolerance of the iteration is absolute.
      const scale = maxAbs(w).maximum(1e-30);
      const scaled = w.div(scale);
      const transposedProduct = (v: Tensor) => vjp([evaluation.value], [x], [v])[0];
      return fixedPoint((v) => scaled.sub(transposedProduct(v)), scaled, lipschitz).mul(scale);
    };
    const x = withImplicitGradient(solution, (x) => x.add(g(x).value), z, solveTransposed);
    return { value: x, logDet: this.logDet(g(x)).neg() };
  }

  /** Whether the current trace estimates the log-determinant. */
  private get estimatesLogDet(): boolean {
    const { trace = this.features > MAX_FEATURES_FOR_EXACT_TRACE ? "hutchinson" : "exact" } = this.options;
    return trace === "hutchinson" && isTraining();
  }

  /** log det(I + J), [N]. */
  private logDet({ jacobian, push }: Evaluation): Tensor {
    return this.estimatesLogDet
      ? russianRouletteLogDet(push, this.features, this.options.lipschitz)
      : eliminate(plusIdentity(jacobian())).logDet;
  }

  /** The weights, scaled down to spectral norms of at most c^(1/K). */
  private boundedWeights(): Tensor[] {
    const bound = this.options.lipschitz ** (1 / this.network.length);
    return this.network.map(({ weight }) =>
      weight.mul(scalar(bound).div(spectralBound(weight).maximum(bound))),
    );
  }

  private evaluate(x: Tensor, weights: readonly Tensor[], context: Tensor | undefined): Evaluation {
    if (this.fromContext) requireColumns("context", context, this.context);
    const last = weights.length - 1;
    const slopes: Tensor[] = [];
    let h = x;
    for (let i = 0; i < last; i++) {
      const fromLayer = h.affine(weights[i], this.network[i].bias);
      const u = i === 0 && this.fromContext ? fromLayer.add(this.fromContext.apply(context!)) : fromLayer;
      h = u.silu().mul(1 / MAX_SILU_SLOPE);
      slopes.push(
        siluSlope(u)
          .mul(1 / MAX_SILU_SLOPE)
          .reshape(["N", 1, u.shape[1]]),
      );
    }
    const throughHidden = (tangents: Tensor) =>
      slopes.reduce((t, slope, i) => t.mul(slope).matmul(weights[i + 1]), tangents);
    return {
      value: h.affine(weights[last], this.network[last].bias),
      push: (tangents) => throughHidden(tangents.matmul(weights[0])),
      jacobian: () => throughHidden(weights[0]),
    };
  }

  describe(): Description {
    return this.options;
  }
}

/** g(x) and products with its Jacobian J. */
interface Evaluation {
  readonly value: Tensor;
  /** J times each of K tangents, [N, K, D] -> [N, K, D]. */
  push(tangents: Tensor): Tensor;
  /** J^T, [N, D, D]: row j is J times unit vector j. */
  jacobian(): Tensor;
}

/** I + A for matrices A [N, D, D]. */
const plusIdentity = (matrix: Tensor): Tensor => matrix.add(identityMatrix(matrix.shape[1] as number));

const maxAbs = (x: Tensor): Tensor => x.abs().max(-1, { keepAxes: true });

/** An upper bound of the slope of silu, x sigmoid(x), whose maximum is 1.0998. */
const MAX_SILU_SLOPE = 1.1;

function siluSlope(u: Tensor): Tensor {
  const s = u.sigmoid();
  return s.mul(u.mul(s.neg().add(1)).add(1));
}

/**
 * Solves x = step(x) for each row of [N, D] by fixed-point iteration from `start`, where `step` is a contraction by `factor`. A
 * row has converged when its step is below the rounding error, or no longer shrinks. The result is NaN for a row whose last step
 * is still large. The limit on iterations is a safeguard: they reduce the error by factor^n = exp(-100).
 */
function fixedPoint(step: (x: Tensor) => Tensor, start: Tensor, factor: number): Tensor {
  const column = (value: number) => filled(value, ["N", 1]);
  // The scale does not change between iterations, so that steps in units of it also shrink by `factor`.
  const scale = maxAbs(start).maximum(1);
  const [x, size, converged] = loop(
    [start, column(Number.POSITIVE_INFINITY), column(0)],
    ([x, lastSize, converged]) => {
      const next = step(x);
      const difference = next.sub(x);
      // The Euclidean norm, in which the step contracts, in units of the largest element, so that squares do not overflow.
      const unit = maxAbs(difference).maximum(1e-30);
      const size = difference.div(unit).square().sum(-1, { keepAxes: true }).sqrt().mul(unit).div(scale);
      const wasConverged = converged.greater(0);
      const converges = size.lessEqual(epsilon()).or(size.greater(lastSize.mul((1 + factor) / 2)));
      const continues = converges.or(wasConverged).not().and(size.equal(size)).toFloat();
      return {
        state: [
          wasConverged.where(x, next),
          wasConverged.where(lastSize, size),
          converged.maximum(converges.toFloat()),
        ],
        proceed: continues.max().greater(0),
      };
    },
    { maxIterations: Math.ceil(100 / -Math.log(factor)) },
  );
  return converged.greater(0).and(size.lessEqual(epsilon().sqrt())).where(x, Number.NaN);
}

export const residualKind: BijectionKind<typeof residualSchema> = {
  schema: residualSchema,
  build: ({ type: _, ...options }, random) => new Residual(options, random),
};
