import * as z from "zod/mini";
import { countSchema, MAX_LAYERS, sizeSchema } from "../description.ts";
import { vjp } from "../graph/grad.ts";
import { loop } from "../graph/loop.ts";
import { constant, epsilon, filled, scalar, type Tensor } from "../graph/tensor.ts";
import { isTraining } from "../graph/tracing/drawn.ts";
import { Linear } from "../nn/linear.ts";
import { MOST_EXACT, type Trace, traceSchema } from "../nn/trace.ts";
import { implicit } from "../numerics/solve.ts";
import { spectralBound } from "../numerics/spectralNorm.ts";
import { parse } from "../parse.ts";
import type { Random } from "../random/index.ts";
import type { Bijection, BijectionKind, Description, Transformed } from "./bijection.ts";
import { eliminate } from "./elimination.ts";
import { rouletteLogDet } from "./roulette.ts";

const residualSchema = z.strictObject({
  type: z.literal("residual"),
  features: sizeSchema,
  context: z._default(countSchema, 0),
  hidden: z._default(z.array(sizeSchema).check(z.maxLength(MAX_LAYERS), z.minLength(1)), [64, 64]),
  lipschitz: z._default(z.number().check(z.positive(), z.maximum(0.99)), 0.9),
  trace: z.optional(traceSchema),
});

/** Options of `Residual`. */
export interface ResidualOptions {
  /** D, the number of columns of a row. */
  features: number;
  /** C, the number of context features. Default 0: an unconditional map. */
  context?: number;
  /** Widths of the hidden layers. Default [64, 64]. */
  hidden?: number[];
  /** c, the bound of the Lipschitz constant of g, in (0, 0.99]. Default 0.9. */
  lipschitz?: number;
  /**
   * How the log-determinant is computed in training: exactly, or estimated. Default exact up to 16 features,
   * estimated above.
   */
  trace?: Trace;
}

/**
 * z = x + g(x), g a network with Lipschitz constant at most c < 1: an invertible residual network (Behrmann et al. 2019; Chen
 * et al. 2019). Its Jacobian is not triangular.
 *
 * Each of the network's K weights is divided by what its spectral norm exceeds c^(1/K), by a bound from above that the graph
 * computes (see `spectralBound`) and gradients flow through: the constant is a guarantee at every step of training.
 * Activations are LipSwish, x sigmoid(x) / 1.1. The context enters the first layer and is not bounded.
 *
 * The log-determinant is exact: the Jacobian's columns are carried through the network as tangents, and eliminated, in
 * D tangents and D^3 operations. With `trace: "hutchinson"`, by default above 16 features, a training step takes an
 * unbiased estimate instead, which costs a few tangents (see `rouletteLogDet`). Densities are exact in any case.
 *
 * The inverse is the fixed point of x = z - g(x), found to the rounding of the precision; its gradient solves
 * (I + J^T) v = w. NaN where the iteration does not converge, which the bound excludes.
 */
export class Residual implements Bijection {
  readonly features: number;
  readonly context: number;
  readonly network: readonly Linear[];
  /** From the context to the first hidden layer. */
  readonly fromContext: Linear | undefined;
  private readonly options: z.output<typeof residualSchema>;

  /** Throws `ARGUMENT` if the options do not fit. */
  constructor(options: ResidualOptions, random: Random) {
    this.options = parse(residualSchema, { type: "residual", ...options }, "a residual flow");
    const { features, context, hidden } = this.options;
    this.features = features;
    this.context = context;
    const sizes = [features, ...hidden, features];
    this.network = sizes
      .slice(1)
      .map((size, i) => new Linear(sizes[i], size, random.split(i), { zero: i === hidden.length }));
    if (context > 0) this.fromContext = new Linear(context, hidden[0], random.split("context"));
  }

  inverse(x: Tensor, context?: Tensor): Transformed {
    const there = this.evaluate(x, this.weights(), context);
    return { value: x.add(there.value), logDet: this.logDet(there) };
  }

  forward(z: Tensor, context?: Tensor): Transformed {
    const weights = this.weights();
    const { lipschitz } = this.options;
    const at = (x: Tensor) => this.evaluate(x, weights, context);
    const found = fixedPoint((x) => z.sub(at(x).value), z, lipschitz);
    // (I + J^T) v = w, for w of any size.
    const solve = (w: Tensor, x: Tensor) => {
      const there = at(x);
      if (!this.estimates) return eliminate(plusIdentity(there.jacobian())).solve(w);
      const size = largest(w).maximum(1e-30);
      const unit = w.div(size);
      const pulled = (v: Tensor) => vjp([there.value], [x], [v])[0];
      return fixedPoint((v) => unit.sub(pulled(v)), unit, lipschitz).mul(size);
    };
    const x = implicit(found, (x) => x.add(at(x).value), z, solve);
    return { value: x, logDet: this.logDet(at(x)).neg() };
  }

  /** Whether what is traced takes an estimate for the log-determinant. */
  private get estimates(): boolean {
    const { trace = this.features > MOST_EXACT ? "hutchinson" : "exact" } = this.options;
    return trace === "hutchinson" && isTraining();
  }

  /** log det(I + J), [N]. */
  private logDet({ jacobian, push }: Evaluation): Tensor {
    return this.estimates
      ? rouletteLogDet(push, this.features, this.options.lipschitz)
      : eliminate(plusIdentity(jacobian())).logDet;
  }

  /** Weights with spectral norms up to c^(1/K). */
  private weights(): Tensor[] {
    const bound = this.options.lipschitz ** (1 / this.network.length);
    return this.network.map(({ weight }) =>
      weight.mul(scalar(bound).div(spectralBound(weight).maximum(bound))),
    );
  }

  private evaluate(x: Tensor, weights: readonly Tensor[], context: Tensor | undefined): Evaluation {
    const last = weights.length - 1;
    const slopes: Tensor[] = [];
    let h = x;
    for (let i = 0; i < last; i++) {
      const own = h.affine(weights[i], this.network[i].bias);
      const u = i === 0 && this.fromContext ? own.add(this.fromContext.apply(context!)) : own;
      h = u.silu().mul(1 / LARGEST_SLOPE);
      slopes.push(
        siluSlope(u)
          .mul(1 / LARGEST_SLOPE)
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

/** g(x), and what its derivative makes of tangents. */
interface Evaluation {
  readonly value: Tensor;
  /** [N, K, D] -> [N, K, D] */
  push(tangents: Tensor): Tensor;
  /** [N, D, D]: row j is what unit vector j becomes. */
  jacobian(): Tensor;
}

function plusIdentity(matrix: Tensor): Tensor {
  const size = matrix.shape[1] as number;
  const identity = Array.from({ length: size * size }, (_, k) => (k % (size + 1) === 0 ? 1 : 0));
  return matrix.add(constant(identity, [size, size]));
}

const largest = (x: Tensor): Tensor => x.abs().max(-1, { keepAxes: true });

/** Of x sigmoid(x); it is 1.0998. */
const LARGEST_SLOPE = 1.1;

function siluSlope(u: Tensor): Tensor {
  const s = u.sigmoid();
  return s.mul(u.mul(s.neg().add(1)).add(1));
}

/**
 * The x with x = step(x) in each row of [N, D], for a contraction by `factor`, from `start`. Steps shrink by that factor until
 * they are lost in rounding: a row ends where its step is that small, or shrinks no more. NaN where it is still large then.
 */
function fixedPoint(step: (x: Tensor) => Tensor, start: Tensor, factor: number): Tensor {
  const column = (value: number) => filled(value, ["N", 1]);
  // The same in all turns, so that sizes shrink as steps do.
  const scale = largest(start).maximum(1);
  const [x, size, done] = loop(
    [start, column(Number.POSITIVE_INFINITY), column(0)],
    ([x, before, done]) => {
      const next = step(x);
      const difference = next.sub(x);
      // The Euclidean norm, in which the step contracts, without squares that overflow.
      const top = largest(difference).maximum(1e-30);
      const size = difference.div(top).square().sum(-1, { keepAxes: true }).sqrt().mul(top).div(scale);
      const still = done.greater(0);
      const over = size.lessEqual(epsilon()).or(size.greater(before.mul((1 + factor) / 2)));
      const open = over.or(still).not().and(size.equal(size)).toFloat();
      return {
        state: [still.where(x, next), still.where(before, size), done.maximum(over.toFloat())],
        proceed: open.max().greater(0),
      };
    },
    { maxIterations: Math.ceil(100 / -Math.log(factor)) },
  );
  return done.greater(0).and(size.lessEqual(epsilon().sqrt())).where(x, Number.NaN);
}

export const residualKind: BijectionKind<typeof residualSchema> = {
  schema: residualSchema,
  build: ({ type: _, ...options }, random) => new Residual(options, random),
};
