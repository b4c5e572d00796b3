import {
  checkOptions,
  isPlainObject,
  numberAbove,
  numberFrom,
  PushforwardError,
  parse,
} from "../check/index.ts";
import type { Parameter } from "../graph/index.ts";
import { parametersOf } from "../nn/index.ts";
import { Optimizer, type OptimizerOptions, optimizerSchema } from "./optimizer.ts";
import { checkEffects } from "./optionRules.ts";
import { requireTrainable, reserve, Weights } from "./weights.ts";

/** Options of `adam`, `adamW` and `sgd`. */
export type ModelOptimizerOptions = Omit<OptimizerOptions, "type">;

/**
 * An optimizer of the parameters of a model, for custom training loops. `adam`, `adamW` and `sgd` create one.
 *
 *     const optimizer = adam(flow, { learningRate: 3e-3 });
 *     const step = compile((x) => valueAndGrad(flow.logProb(x).mean().neg(), optimizer.parameters), [["N", 2]]);
 *     const [loss, ...gradients] = await step(rows);
 *     await optimizer.step(gradients);
 */
export class ModelOptimizer {
  /** The trained parameters, in the order in which `step` takes their gradients. */
  readonly parameters: readonly Parameter[];
  private readonly weights: Weights;
  private readonly endReservation: () => void;
  private readonly optimizer: Optimizer;
  private released = false;

  /**
   * Throws `ARGUMENT` if an option is not valid, or the model has no trainable parameters, or one that is being trained already.
   */
  constructor(model: object, options: OptimizerOptions) {
    const settings = parse(optimizerSchema, options, "an option of the optimizer");
    checkEffects("optimizer", options);
    const parameters = parametersOf(model);
    requireTrainable(model, parameters);
    this.endReservation = reserve(parameters);
    this.weights = new Weights(parameters, false, 1);
    this.parameters = [...this.weights.trainable.values()];
    this.optimizer = new Optimizer(settings, this.weights.flat);
  }

  /**
   * Takes one step, given the gradient of each parameter in row-major order. `scale` multiplies the learning rate, for
   * schedules; default 1. If the norm of all gradients together is larger than `clipNorm`, by default Infinity, they are scaled down to
   * this norm.
   *
   * @throws SHAPE when a gradient is missing or has a different number of elements than its parameter; NUMERIC when the gradients
   *   are not finite; ARGUMENT for options that are not valid, and after `release`. The parameters are then unchanged.
   */
  async step(
    gradients: readonly ArrayLike<number>[],
    options: { readonly scale?: number; readonly clipNorm?: number } = {},
  ): Promise<void> {
    checkOptions("optimizer.step", options, { scale: numberFrom(0), clipNorm: numberAbove(0) });
    if (this.released) {
      throw new PushforwardError("ARGUMENT", "the optimizer was released, so it cannot take a step", {
        hint: "Call release after the last step, or create another optimizer.",
      });
    }
    const { scale = 1, clipNorm = Number.POSITIVE_INFINITY } = options;
    const { flat } = this.weights;
    const offsets = new Map(
      flat.blocks.flatMap(({ entries }) => entries).map(({ parameter, start }) => [parameter, start]),
    );
    let squares = 0;
    this.parameters.forEach((parameter, i) => {
      const gradient = gradients[i];
      if (gradient?.length !== parameter.numbers.length) {
        throw new PushforwardError("SHAPE", `gradient ${i} does not have the size of its parameter`, {
          expected: `${parameter.numbers.length} numbers`,
          received: gradient ? `${gradient.length}` : "none",
          hint: "Give the gradients in the order of optimizer.parameters.",
        });
      }
      flat.gradient.set(gradient, offsets.get(parameter)!);
      for (let k = 0; k < gradient.length; k++) squares += gradient[k]! ** 2;
    });
    const norm = Math.sqrt(squares);
    if (!Number.isFinite(norm)) {
      throw new PushforwardError("NUMERIC", "the gradients are not finite", {
        received: `a norm of ${norm}`,
        hint: "Lower the learning rate, or skip this batch.",
      });
    }
    await this.optimizer.step(scale, norm > clipNorm ? clipNorm / norm : 1, 0);
  }

  /**
   * Frees the buffers of the optimizer. Afterwards another optimizer or `fit` may train the parameters, and `step` throws. A second call has no
   * effect.
   */
  release(): void {
    // The parameters may belong to another training run since the first call.
    if (this.released) return;
    this.released = true;
    // Its steps are computed on one thread, so there are no worker threads to release.
    this.weights.flat.detach();
    this.endReservation();
  }
}

/** Options that are not an object are an error of the constructor. */
const optimizerOf = (type: OptimizerOptions["type"], model: object, options: ModelOptimizerOptions) =>
  new ModelOptimizer(model, isPlainObject(options) ? { ...options, type } : options);

/**
 * Adam (Kingma and Ba 2015, "Adam: a method for stochastic optimization") over the trainable parameters of a model. With a parameter p, its
 * gradient g and the number of the step t:
 *
 *     g <- g + d p,  m <- b1 m + (1 - b1) g,  v <- b2 v + (1 - b2) g^2,
 *     p <- p - r m / (1 - b1^t) / (sqrt(v / (1 - b2^t)) + epsilon)
 *
 * The options are r = `learningRate` (default 0.001), b1 = `beta1` (0.9), b2 = `beta2` (0.999), `epsilon` (1e-8) and d = `weightDecay`
 * (0), which applies to parameters that were created with `decay`.
 *
 * @throws ARGUMENT if an option is not valid, or the model has no trainable parameters, or one that is being trained already.
 */
export const adam = (model: object, options: ModelOptimizerOptions = {}): ModelOptimizer =>
  optimizerOf("adam", model, options);

/**
 * AdamW (Loshchilov and Hutter 2019, "Decoupled weight decay regularization") over the trainable parameters of a model: `adam` with the
 * weight decay applied to the parameters instead of the gradients,
 *
 *     m <- b1 m + (1 - b1) g,  v <- b2 v + (1 - b2) g^2,
 *     p <- (1 - r d) p - r m / (1 - b1^t) / (sqrt(v / (1 - b2^t)) + epsilon)
 *
 * with the options and defaults of `adam`.
 *
 * @throws ARGUMENT if an option is not valid, or the model has no trainable parameters, or one that is being trained already.
 */
export const adamW = (model: object, options: ModelOptimizerOptions = {}): ModelOptimizer =>
  optimizerOf("adamW", model, options);

/**
 * Gradient descent with momentum over the trainable parameters of a model,
 *
 *     g <- g + d p,  m <- b1 m + g,  p <- p - r m,
 *
 * with the options r = `learningRate`, by default 0.001, b1 = `beta1`, the momentum, 0.9, and d = `weightDecay`, 0, for parameters that
 * were created with `decay`. `beta2` and `epsilon` are an error.
 *
 * @throws ARGUMENT if an option is not valid, or the model has no trainable parameters, or one that is being trained already.
 */
export const sgd = (model: object, options: ModelOptimizerOptions = {}): ModelOptimizer =>
  optimizerOf("sgd", model, options);
