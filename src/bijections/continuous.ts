import * as z from "zod/mini";
import { countSchema, MAX_LAYERS, positiveSchema, sizeSchema } from "../description.ts";
import { concat, filled, type Tensor } from "../graph/tensor.ts";
import { drawSigns, isTraining } from "../graph/tracing/drawn.ts";
import { type Activation, activationSchema } from "../nn/activation.ts";
import { withDivergence } from "../nn/divergence.ts";
import { MLP } from "../nn/mlp.ts";
import { MOST_EXACT, type Trace, traceSchema } from "../nn/trace.ts";
import { integrate } from "../numerics/integrate.ts";
import { parse } from "../parse.ts";
import type { Random } from "../random/index.ts";
import type { Bijection, BijectionKind, Description, Transformed } from "./bijection.ts";

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
  /** Error of a step of the solver, relative above 1. By default 1e-6 in float32 and 1e-12 in float64. */
  tolerance: z.optional(positiveSchema),
  /** The divergence in training: exact or estimated. By default exact, but above 16 features with three hidden layers or more. */
  trace: z.optional(traceSchema),
});

/** Options of `Continuous`. */
export interface ContinuousOptions {
  /** D, the number of columns of a row. */
  features: number;
  /** C, the number of context features. Default 0: an unconditional map. */
  context?: number;
  /** Time enters the network as sin and cos of pi t, 2 pi t, ... up to this many times pi t. Default 3. */
  frequencies?: number;
  /**
   * The network of the velocity; its activation should be smooth, since the steps of the solver depend on it. Default
   * two hidden layers of 64 units with silu.
   */
  network?: { hidden?: number[]; activation?: Activation };
  /** Error of a step of the solver, relative above 1. Default 1e-6 in float32 and 1e-12 in float64. */
  tolerance?: number;
  /**
   * How the divergence is computed in training: exactly, or estimated (Hutchinson). Default exact, but above 16
   * features with three hidden layers or more estimated.
   */
  trace?: Trace;
}

/**
 * Continuous normalizing flow: x is where the solution of dy/dt = v(t, y, context), y(0) = z, is at t = 1; both
 * directions are an integration, and log |det dx/dz| is the integral of the divergence of v along the way (Chen et al. 2018;
 * Grathwohl et al. 2019, "FFJORD"). The field v is a network that starts at 0.
 *
 * The divergence is exact. With up to two hidden layers it costs no more than the network, in any dimension; with more,
 * D times that. So with `trace: "hutchinson"`, by default for such networks above 16 features, training takes an
 * unbiased estimate that costs one tangent: e^T J e, with signs e that each row draws for its whole way (FFJORD). Densities
 * are exact in any case.
 *
 * `fit` trains it by likelihood, through the adjoint equation, or without any integration by flow matching.
 */
export class Continuous implements Bijection {
  readonly features: number;
  readonly context: number;
  readonly network: MLP;
  private readonly options: z.output<typeof continuousSchema>;

  /** Throws `ARGUMENT` if the options do not fit. */
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
    return this.network.apply(this.input(t, y), context);
  }

  private integrate(start: Tensor, context: Tensor | undefined, from: number, to: number): Transformed {
    const { features, options } = this;
    const direction = this.estimates ? drawSigns(features).stopGradient() : undefined;
    const field = (t: Tensor, state: Tensor) => {
      const input = this.input(t, state.slice(1, 0, features));
      const given = context ? concat([input, context], 1) : input;
      const { value, divergence } = withDivergence(this.network, given, direction);
      return concat([value, divergence], 1);
    };
    const initial = concat([start, filled(0, ["N", 1])], 1);
    const end = integrate(field, initial, { from, to, tolerance: options.tolerance });
    return {
      value: end.slice(1, 0, features),
      logDet: end.slice(1, features, features + 1).reshape(["N"]),
    };
  }

  /** Whether what is traced takes an estimate for the divergence. */
  private get estimates(): boolean {
    const dear = this.features > MOST_EXACT && this.network.layers.length > 3;
    const { trace = dear ? "hutchinson" : "exact" } = this.options;
    return trace === "hutchinson" && isTraining();
  }

  private input(t: Tensor, y: Tensor): Tensor {
    const angles = Array.from({ length: this.options.frequencies }, (_, k) => t.mul(Math.PI * (k + 1)));
    return concat([y, ...angles.flatMap((angle) => [angle.sin(), angle.cos()])], 1);
  }

  describe(): Description {
    return this.options;
  }
}

export const continuousKind: BijectionKind<typeof continuousSchema> = {
  schema: continuousSchema,
  build: ({ type: _, ...options }, random) => new Continuous(options, random),
};
