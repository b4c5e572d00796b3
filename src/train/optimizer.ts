import { z } from "zod";
import type { FlatParameters } from "./flatParameters.ts";

export const optimizerSchema = z.strictObject({
  type: z.enum(["adam", "adamW", "sgd"]).default("adamW"),
  /** Step size before the schedule. */
  learningRate: z.number().positive().default(1e-3),
  /** Decay of the average gradient (for `sgd` the momentum). */
  beta1: z.number().min(0).lt(1).default(0.9),
  /** Decay of the average squared gradient. */
  beta2: z.number().min(0).lt(1).default(0.999),
  epsilon: z.number().positive().default(1e-8),
  /** Pulls the weights of networks (not biases, not distributions) to 0: through the gradient in `adam` and `sgd`, directly in `adamW`. */
  weightDecay: z.number().nonnegative().default(0),
});

export type OptimizerOptions = z.input<typeof optimizerSchema>;

/**
 * Adam (Kingma and Ba 2015), AdamW (Loshchilov and Hutter 2019) and gradient descent with momentum over flat parameters.
 * Their `first` and `second` are the whole state beside the number of steps.
 */
export class Optimizer {
  steps = 0;
  private readonly options: z.output<typeof optimizerSchema>;
  private readonly flat: FlatParameters;

  constructor(options: OptimizerOptions, flat: FlatParameters) {
    this.options = optimizerSchema.parse(options);
    this.flat = flat;
  }

  /** One step, with the gradient multiplied by `gradientScale` and the step size by `stepScale`. */
  step(stepScale: number, gradientScale: number): void {
    const { type, beta1, beta2, epsilon, weightDecay } = this.options;
    const { values, gradient, first, second, runs, kernel } = this.flat;
    this.steps++;
    const rate = this.options.learningRate * stepScale;
    // The bias corrections of both averages, folded into the step size and epsilon.
    const correction2 = Math.sqrt(1 - beta2 ** this.steps);
    const size = (rate * correction2) / (1 - beta1 ** this.steps);
    for (const { start, count, decays } of runs) {
      const decay = decays ? weightDecay : 0;
      const coupled = type === "adamW" ? 0 : decay;
      if (type === "sgd") {
        for (let i = start; i < start + count; i++) {
          first[i] = beta1 * first[i] + gradient[i] * gradientScale + coupled * values[i];
          values[i] -= rate * first[i];
        }
        continue;
      }
      const [p, g, m, v] = [values, gradient, first, second].map((buffer) => buffer.byteOffset + 4 * start);
      const shrink = type === "adamW" ? rate * decay : 0;
      kernel.adam(
        p,
        g,
        m,
        v,
        count,
        gradientScale,
        coupled,
        beta1,
        beta2,
        size,
        epsilon * correction2,
        shrink,
      );
    }
  }

  reset(): void {
    this.flat.first.fill(0);
    this.flat.second.fill(0);
    this.steps = 0;
  }
}
