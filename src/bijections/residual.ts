import { z } from "zod";
import { epsilon, loop, withGradient } from "../graph/loop.ts";
import { spectralBound } from "../graph/spectralNorm.ts";
import { constant, filled, scalar, type Tensor } from "../graph/tensor.ts";
import { Linear } from "../nn/linear.ts";
import { parse } from "../parse.ts";
import type { Random } from "../random/index.ts";
import type { Bijection, BijectionKind, Description, Transformed } from "./bijection.ts";
import { type Elimination, eliminate } from "./elimination.ts";

const MOST_FEATURES = 16;

const residualSchema = z.strictObject({
  type: z.literal("residual"),
  features: z
    .int()
    .positive()
    .max(MOST_FEATURES, {
      error: `at most ${MOST_FEATURES} features, whose Jacobian is built for an exact log-determinant`,
    }),
  context: z.int().nonnegative().default(0),
  /** Widths of the hidden layers. */
  hidden: z.array(z.int().positive()).min(1).default([64, 64]),
  /** c, the bound of the Lipschitz constant. */
  lipschitz: z.number().positive().max(0.99).default(0.9),
});

export type ResidualOptions = Omit<z.input<typeof residualSchema>, "type">;

/**
 * z = x + g(x), g a network with Lipschitz constant at most c < 1: an invertible residual network (Behrmann et al. 2019; Chen
 * et al. 2019). Its Jacobian is not triangular.
 *
 * Each of the network's K weights is divided by what its spectral norm exceeds c^(1/K), by a bound from above that the graph
 * computes (see `spectralBound`) and gradients flow through: the constant is a guarantee at every step of training.
 * Activations are LipSwish, x sigmoid(x) / 1.1. The context enters the first layer and is not bounded.
 *
 * The log-determinant is exact: the Jacobian's columns are carried through the network as tangents, and eliminated. So it
 * takes at most 16 features. The inverse is the fixed point of x = z - g(x), found to the rounding of the precision; its
 * gradient solves (I + J^T) v = w. NaN where the iteration does not converge, which the bound excludes.
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
    const weights = this.weights();
    const { value, linearization } = this.evaluate(x, weights, context);
    return { value: x.add(value), logDet: linearization().logDet };
  }

  forward(z: Tensor, context?: Tensor): Transformed {
    const weights = this.weights();
    const found = fixedPoint(
      (x) => z.sub(this.evaluate(x, weights, context).value),
      z,
      this.options.lipschitz,
    );
    const there = this.evaluate(found, weights, context);
    // x = found, with the gradient of the fixed point: that of z - g(x) at a fixed x, through (I + J^T)^-1.
    const x = withGradient(found, [z.sub(there.value)], (w) => [there.linearization().solve(w)]);
    return { value: x, logDet: this.evaluate(x, weights, context).linearization().logDet.neg() };
  }

  /** Weights with spectral norms up to c^(1/K). */
  private weights(): Tensor[] {
    const bound = this.options.lipschitz ** (1 / this.network.length);
    return this.network.map(({ weight }) =>
      weight.mul(scalar(bound).div(spectralBound(weight).maximum(bound))),
    );
  }

  /** g(x), and the elimination of I + J^T there. */
  private evaluate(x: Tensor, weights: readonly Tensor[], context: Tensor | undefined) {
    const last = weights.length - 1;
    const units: Tensor[] = [];
    let h = x;
    for (let i = 0; i < last; i++) {
      const u = h.affine(weights[i], this.network[i].bias);
      units.push(i === 0 && this.fromContext ? u.add(this.fromContext.apply(context!)) : u);
      h = units[i].silu().mul(1 / LARGEST_SLOPE);
    }
    const D = this.features;
    const linearization = (): Elimination => {
      // Row j of the tangents is what unit vector j becomes.
      let tangents = weights[0];
      units.forEach((u, i) => {
        const slope = siluSlope(u).mul(1 / LARGEST_SLOPE);
        tangents = tangents.mul(slope.reshape(["N", 1, u.shape[1]])).matmul(weights[i + 1]);
      });
      const identity = Array.from({ length: D * D }, (_, k) => (k % (D + 1) === 0 ? 1 : 0));
      return eliminate(tangents.add(constant(identity, [D, D])));
    };
    return { value: h.affine(weights[last], this.network[last].bias), linearization };
  }

  describe(): Description {
    return this.options;
  }
}

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
  const largest = (x: Tensor) => x.abs().max(-1, { keepAxes: true });
  const [x, size, done] = loop(
    [start, column(Number.POSITIVE_INFINITY), column(0)],
    ([x, before, done]) => {
      const next = step(x);
      const difference = next.sub(x);
      // The Euclidean norm, in which the step contracts, without squares that overflow.
      const top = largest(difference).maximum(1e-30);
      const size = difference
        .div(top)
        .square()
        .sum(-1, { keepAxes: true })
        .sqrt()
        .mul(top)
        .div(largest(next).maximum(1));
      const still = done.greater(0);
      const over = size.lessEqual(epsilon()).or(size.greater(before.mul((1 + factor) / 2)));
      const open = over.or(still).not().and(size.equal(size)).toFloat();
      return {
        state: [still.where(x, next), still.where(before, size), done.maximum(over.toFloat())],
        proceed: open.max().greater(0),
      };
    },
    { most: Math.ceil(100 / -Math.log(factor)) },
  );
  return done.greater(0).and(size.lessEqual(epsilon().sqrt())).where(x, Number.NaN);
}

export const residualKind: BijectionKind<typeof residualSchema> = {
  schema: residualSchema,
  about: {
    name: "residual flow",
    formula: "z = x + g(x), Lip(g) < 1",
    paper: "Behrmann et al. 2019; Chen et al. 2019",
    density: "closed form",
    sampling: "iteration",
  },
  build: ({ type: _, ...options }, random) => new Residual(options, random),
  examples: (features) => [
    { type: "residual", features, hidden: [8, 6], lipschitz: 0.8 },
    { type: "residual", features, hidden: [8], context: 2 },
  ],
};
