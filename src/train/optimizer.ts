import { z } from "zod";

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
 * Adam (Kingma and Ba 2015), AdamW (Loshchilov and Hutter 2019) and gradient descent with momentum over one flat buffer.
 * `first` and `second` are the whole state beside the number of steps.
 */
export class Optimizer {
  readonly first: Float32Array;
  readonly second: Float32Array;
  steps = 0;
  private readonly options: z.output<typeof optimizerSchema>;
  private readonly decays: Uint8Array;

  /** `decays[i]` is 1 where weight decay applies. */
  constructor(options: OptimizerOptions, decays: Uint8Array) {
    this.options = optimizerSchema.parse(options);
    this.decays = decays;
    this.first = new Float32Array(decays.length);
    this.second = new Float32Array(this.options.type === "sgd" ? 0 : decays.length);
  }

  get learningRate(): number {
    return this.options.learningRate;
  }

  /** One step, with the gradient multiplied by `gradientScale` and the step size by `stepScale`. */
  step(values: Float32Array, gradient: Float32Array, stepScale: number, gradientScale: number): void {
    const { type, beta1, beta2, epsilon, weightDecay } = this.options;
    const { first, second, decays } = this;
    this.steps++;
    const rate = this.options.learningRate * stepScale;
    const coupled = type === "adamW" ? 0 : weightDecay;
    const shrink = type === "adamW" ? rate * weightDecay : 0;
    if (type === "sgd") {
      for (let i = 0; i < values.length; i++) {
        first[i] = beta1 * first[i] + gradient[i] * gradientScale + coupled * decays[i] * values[i];
        values[i] -= rate * first[i];
      }
      return;
    }
    // The bias corrections of both averages, folded into the step size and epsilon.
    const correction2 = Math.sqrt(1 - beta2 ** this.steps);
    const size = (rate * correction2) / (1 - beta1 ** this.steps);
    const floor = epsilon * correction2;
    for (let i = 0; i < values.length; i++) {
      const g = gradient[i] * gradientScale + coupled * decays[i] * values[i];
      const m = beta1 * first[i] + (1 - beta1) * g;
      const v = beta2 * second[i] + (1 - beta2) * g * g;
      first[i] = m;
      second[i] = v;
      values[i] -= (size * m) / (Math.sqrt(v) + floor) + shrink * decays[i] * values[i];
    }
  }

  reset(): void {
    this.first.fill(0);
    this.second.fill(0);
    this.steps = 0;
  }
}

/** Euclidean norm, for clipping. */
export function norm(values: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] * values[i];
  return Math.sqrt(sum);
}
