import { z } from "zod";
import type { Call } from "../runtime/kernel.ts";
import type { FlatParameters } from "./flatParameters.ts";

export const optimizerSchema = z.strictObject({
  type: z.enum(["adam", "adamW", "sgd"]).default("adamW"),
  learningRate: z.number().positive().default(1e-3),
  beta1: z.number().min(0).lt(1).default(0.9),
  beta2: z.number().min(0).lt(1).default(0.999),
  epsilon: z.number().positive().default(1e-8),
  weightDecay: z.number().nonnegative().default(0),
});

/** How gradients become steps. */
export interface OptimizerOptions {
  /** Adam (Kingma and Ba 2015), AdamW (Loshchilov and Hutter 2019), or gradient descent with momentum. Default `adamW`. */
  type?: "adam" | "adamW" | "sgd";
  /** Step size before the schedule. Default 0.001. */
  learningRate?: number;
  /** Decay of the average gradient, for `sgd` the momentum, in [0, 1). Default 0.9. */
  beta1?: number;
  /** Decay of the average squared gradient, in [0, 1). Default 0.999. */
  beta2?: number;
  /** Added to the root of the average squared gradient. Default 1e-8. */
  epsilon?: number;
  /**
   * Pulls the parameters that were made with `decay`, which the weights of networks are, to 0: through the gradient in `adam`
   * and `sgd`, directly in `adamW`. Default 0.
   */
  weightDecay?: number;
}

/**
 * Averages of gradients that have become 0, such as those of dead units, decay to denormal numbers and stay there, over which
 * processors take several times as long: after so many steps such numbers become 0.
 */
const FLUSHED_EVERY = 64;

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

  /**
   * One step, with the gradient multiplied by `gradientScale` and the step size by `stepScale`; the average of the values
   * moves to them by a share of what is between.
   */
  async step(stepScale: number, gradientScale: number, averageShare: number): Promise<void> {
    const { type, learningRate, beta1, beta2, epsilon, weightDecay } = this.options;
    const { values, published, gradient, first, second, average, runs } = this.flat;
    this.steps++;
    const rate = learningRate * stepScale;
    // The bias corrections of both averages, folded into the step size and epsilon.
    const correction2 = Math.sqrt(1 - beta2 ** this.steps);
    const size = (rate * correction2) / (1 - beta1 ** this.steps);
    const update = (start: number, count: number, decay: number): Call => {
      const [p, g, m, v, copy, a] = [values, gradient, first, second, published, average].map(
        ({ byteOffset }) => byteOffset + 4 * start,
      );
      const settled = [copy, a, averageShare];
      const coupled = type === "adamW" ? 0 : decay;
      if (type === "sgd") return ["sgd", p, g, m, count, gradientScale, coupled, beta1, rate, ...settled];
      const shrink = type === "adamW" ? rate * decay : 0;
      const scales = [gradientScale, coupled, beta1, beta2, size, epsilon * correction2, shrink];
      return ["adam", p, g, m, v, count, ...scales, ...settled];
    };
    await this.flat.compute((start, count) => {
      const calls = runs.flatMap((run) => {
        const from = Math.max(start, run.start);
        const to = Math.min(start + count, run.start + run.count);
        return to > from ? [update(from, to - from, run.decays ? weightDecay : 0)] : [];
      });
      if (this.steps % FLUSHED_EVERY > 0) return calls;
      return [
        ...calls,
        ...[first, second].map(({ byteOffset }): Call => ["flush", byteOffset + 4 * start, count]),
      ];
    });
  }

  reset(): void {
    this.flat.first.fill(0);
    this.flat.second.fill(0);
    this.steps = 0;
  }
}
