import * as z from "zod/mini";
import { parse } from "../check/index.ts";
import { concat, drawRademacher, filled, integrate, isTraining, type Tensor } from "../graph/index.ts";
import {
  type Activation,
  activationSchema,
  MAX_FEATURES_FOR_EXACT_TRACE,
  MLP,
  requireColumns,
  type TraceEstimator,
  traceEstimatorSchema,
  withDivergence,
} from "../nn/index.ts";
import { countSchema, type Description, MAX_LAYERS, positiveSchema, sizeSchema } from "../parts/index.ts";
import type { Random } from "../random/index.ts";
import type { Bijection, BijectionKind, Transformed } from "./bijection.ts";

const continuousSchema = z.strictObject({
  type: z.literal("continuous"),
  features: sizeSchema,
  context: z._default(countSchema, 0),
  frequencies: z._default(sizeSchema, 3),
  network: z.prefault(
    z.strictObject({
      hidden: z._default(z.array(sizeSchema).check(z.maxLength(MAX_LAYERS)), [64, 64]),
      activation: z._default(activationSchema, "silu"),
    }),
    {},
  ),
  tolerance: z.optional(positiveSchema),
  trace: z.optional(traceEstimatorSchema),
});

/** Options of `Continuous`. */
export interface ContinuousOptions {
  /** D, the number of columns of a row. */
  features: number;
  /** C, the number of context features. Default 0: an unconditional map. */
  context?: number | undefined;
  /** F: time enters the network as sin and cos of pi t, 2 pi t, ..., F pi t. Default 3. */
  frequencies?: number | undefined;
  /**
   * The network of the velocity. Choose a smooth activation: the solver needs more steps for others. Default two hidden
   * layers of 64 units with silu.
   */
  network?: { hidden?: number[]; activation?: Activation } | undefined;
  /** Error tolerance of a solver step: absolute below 1, relative above. Default 1e-6 in float32 and 1e-12 in float64. */
  tolerance?: number | undefined;
  /**
   * The divergence in training: `exact`, or Hutchinson's estimate. Default `hutchinson` for more than 16 features and
   * more than two hidden layers, otherwise `exact`.
   */
  trace?: TraceEstimator | undefined;
}

/**
 * Continuous normalizing flow: x = y(1), where y solves dy/dt = v(t, y, context) with y(0) = z. Both directions integrate
 * this equation, and log |det dx/dz| is the integral of the divergence of v along the path (Chen et al. 2018; Grathwohl et al.
 * 2019, "FFJORD"). The velocity v is a network whose output starts at 0.
 *
 * Evaluation computes the exact divergence. With up to two hidden layers it costs as much as the network in any dimension,
 * with more layers D times as much. With `trace: "hutchinson"` training uses an unbiased estimate at the cost of one
 * Jacobian-vector product: e^T J e, with random signs e that are drawn once for each row and integration.
 *
 * `fit` trains it by maximum likelihood, with gradients from the adjoint equation, or by flow matching, which needs no
 * integration.
 */
export class Continuous implements Bijection {
  readonly features: number;
  readonly context: number;
  readonly network: MLP;
  private readonly options: z.output<typeof continuousSchema>;

  /** Throws `ARGUMENT` if the options are not valid. */
  constructor(options: ContinuousOptions, random: Random) {
    this.options = parse(continuousSchema, { type: "continuous", ...options }, "a continuous flow");
    const { features, context, frequencies, network } = this.options;
    this.features = features;
    this.context = context;
    const description = { ...network, residual: false };
    this.network = new MLP(features + 2 * frequencies, features, description, random, context);
  }

  forward(z: Tensor, context?: Tensor): Transformed {
    return this.integrate(z, context, 0, 1);
  }

  inverse(x: Tensor, context?: Tensor): Transformed {
    return this.integrate(x, context, 1, 0);
  }

  /** v(t, y, context) [N, D] at times t [N, 1] and points y [N, D]. */
  velocity(t: Tensor, y: Tensor, context?: Tensor): Tensor {
    return this.network.apply(this.input(t, y, context));
  }

  private integrate(start: Tensor, context: Tensor | undefined, from: number, to: number): Transformed {
    const { features, options } = this;
    const signs = this.estimatesDivergence ? drawRademacher(features).stopGradient() : undefined;
    const field = (t: Tensor, state: Tensor) => {
      const input = this.input(t, state.slice(1, 0, features), context);
      const { value, divergence } = withDivergence(this.network, input, signs);
      return concat([value, divergence], 1);
    };
    const initial = concat([start, filled(0, ["N", 1])], 1);
    const end = integrate(field, initial, { from, to, tolerance: options.tolerance });
    return {
      value: end.slice(1, 0, features),
      logDet: end.slice(1, features, features + 1).reshape(["N"]),
    };
  }

  /** Whether the current trace estimates the divergence. */
  private get estimatesDivergence(): boolean {
    const isExpensive = this.features > MAX_FEATURES_FOR_EXACT_TRACE && this.network.layers.length > 3;
    const { trace = isExpensive ? "hutchinson" : "exact" } = this.options;
    return trace === "hutchinson" && isTraining();
  }

  private input(t: Tensor, y: Tensor, context: Tensor | undefined): Tensor {
    requireColumns("context", context, this.context);
    const angles = Array.from({ length: this.options.frequencies }, (_, k) => t.mul(Math.PI * (k + 1)));
    const times = angles.flatMap((angle) => [angle.sin(), angle.cos()]);
    return concat([y, ...times, ...(context ? [context] : [])], 1);
  }

  describe(): Description {
    return this.options;
  }
}

export const continuousKind: BijectionKind<typeof continuousSchema> = {
  schema: continuousSchema,
  build: ({ type: _, ...options }, random) => new Continuous(options, random),
};
