import * as z from "zod/mini";
import type { KernelCall } from "../runtime/index.ts";
import type { FlatParameters } from "./flatParameters.ts";

export const optimizerSchema = z.strictObject({
  type: z._default(z.enum(["adam", "adamW", "adamax", "sgd"]), "adamW"),
  learningRate: z._default(z.number().check(z.positive()), 1e-3),
  beta1: z._default(z.number().check(z.minimum(0), z.lt(1)), 0.9),
  beta2: z._default(z.number().check(z.minimum(0), z.lt(1)), 0.999),
  epsilon: z._default(z.number().check(z.positive()), 1e-8),
  weightDecay: z._default(z.number().check(z.nonnegative()), 0),
});

/** The optimizer and its hyperparameters. */
export interface OptimizerOptions {
  /**
   * Adam and its variant AdaMax (Kingma and Ba 2015), AdamW (Loshchilov and Hutter 2019), or gradient descent with momentum. Default
   * `adamW`.
   */
  type?: "adam" | "adamW" | "adamax" | "sgd" | undefined;
  /** Learning rate before the factor of the schedule. Default 0.001. */
  learningRate?: number | undefined;
  /** Decay of the moving average of the gradient; for `sgd`, the momentum. In [0, 1). Default 0.9. */
  beta1?: number | undefined;
  /**
   * Decay of the moving average of the squared gradient; for `adamax`, of the maximum of the absolute gradients. In [0, 1). With `sgd` it
   * is an error. Default 0.999.
   */
  beta2?: number | undefined;
  /** Added to the root of the average squared gradient; for `adamax`, to the maximum. With `sgd` it is an error. Default 1e-8. */
  epsilon?: number | undefined;
  /**
   * Weight decay of the parameters that were created with `decay`, such as the weights of networks: an L2 penalty in `adam`, `adamax`
   * and `sgd`, decoupled from the gradient in `adamW`. Default 0.
   */
  weightDecay?: number | undefined;
}

/**
 * The moments of gradients that have become 0, such as those of dead units, decay to subnormal numbers, with which processors
 * compute several times slower. Every 64 steps these are set to 0; doing so in each step would cost more than it saves.
 */
const FLUSH_INTERVAL_STEPS = 64;

/**
 * Adam, AdaMax (Kingma and Ba 2015), AdamW (Loshchilov and Hutter 2019) and gradient descent with momentum over flat parameters.
 * The state is the two moments m and v in `flat` and the number of steps t. With the gradient g, the parameters p, the learning
 * rate r and the weight decay d:
 *
 *     adam     g <- g + d p,  m <- b1 m + (1 - b1) g,  v <- b2 v + (1 - b2) g^2,
 *              p <- p - r m / (1 - b1^t) / (sqrt(v / (1 - b2^t)) + epsilon)
 *     adamW    as adam without the change of g, but p <- (1 - r d) p - ...
 *     adamax   as adam with v <- max(b2 v, |g|),  p <- p - r m / (1 - b1^t) / (v + epsilon)
 *     sgd      g <- g + d p,  m <- b1 m + g,  p <- p - r m
 */
export class Optimizer {
  steps = 0;
  private readonly options: z.output<typeof optimizerSchema>;
  private readonly flat: FlatParameters;

  constructor(options: OptimizerOptions, flat: FlatParameters) {
    this.options = optimizerSchema.parse(options);
    this.flat = flat;
  }

  /**
   * Takes one step. `stepScale` multiplies the learning rate and `gradientScale` the gradient. Afterwards, the moving average of
   * the values changes to average + averageShare (values - average).
   */
  async step(stepScale: number, gradientScale: number, averageShare: number): Promise<void> {
    const { type, learningRate, beta1, beta2, epsilon, weightDecay } = this.options;
    const {
      values,
      sharedValues,
      gradient,
      firstMoment: first,
      secondMoment: second,
      average,
      groups,
    } = this.flat;
    this.steps++;
    const rate = learningRate * stepScale;
    // The bias corrections of both moments are multiplied into the learning rate and epsilon. The maximum of AdaMax has no bias at the start, so
    // it has no correction.
    const correction2 = type === "adamax" ? 1 : Math.sqrt(1 - beta2 ** this.steps);
    const correctedRate = (rate * correction2) / (1 - beta1 ** this.steps);
    const update = (start: number, count: number, decay: number): KernelCall => {
      const [p, g, m, v, copy, a] = [values, gradient, first, second, sharedValues, average].map(
        ({ byteOffset }) => byteOffset + 4 * start,
      );
      const averagingArguments = [copy, a, averageShare];
      const coupledDecay = type === "adamW" ? 0 : decay;
      if (type === "sgd")
        return ["sgd", p, g, m, count, gradientScale, coupledDecay, beta1, rate, ...averagingArguments];
      const decoupledDecay = type === "adamW" ? rate * decay : 0;
      const scales = [
        gradientScale,
        coupledDecay,
        beta1,
        beta2,
        correctedRate,
        epsilon * correction2,
        decoupledDecay,
      ];
      const isMaximum = type === "adamax" ? 1 : 0;
      return ["adam", p, g, m, v, count, ...scales, isMaximum, ...averagingArguments];
    };
    await this.flat.runKernel((start, count) => {
      const calls = groups.flatMap((group) => {
        const from = Math.max(start, group.start);
        const to = Math.min(start + count, group.start + group.count);
        return to > from ? [update(from, to - from, group.decays ? weightDecay : 0)] : [];
      });
      if (this.steps % FLUSH_INTERVAL_STEPS > 0) return calls;
      return [
        ...calls,
        ...[first, second].map(({ byteOffset }): KernelCall => ["flush", byteOffset + 4 * start, count]),
      ];
    });
  }

  /** Sets the state to the state before the first step. */
  reset(): void {
    this.flat.firstMoment.fill(0);
    this.flat.secondMoment.fill(0);
    this.steps = 0;
  }
}
