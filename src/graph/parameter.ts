import { PushforwardError } from "../errors.ts";
import type { Operation } from "./operation.ts";
import * as source from "./operations/source.ts";
import { formatShape, sizeOf } from "./shape.ts";
import { Tensor } from "./tensor.ts";

/**
 * A leaf of the graph that brings its own numbers: weights, and fixed arrays such as a data-fitted scale.
 *
 * `value` may be replaced by an array of the same length (a view of the optimizer's flat buffer, or float64 numbers);
 * a compiled function reads it at each call.
 */
export class Parameter extends Tensor {
  value: Float32Array | Float64Array;
  /** False for numbers that describe the model but are not learned. */
  readonly trainable: boolean;
  /** True for statistics that a training step sets: not learned by gradients, but not the same from step to step either. */
  readonly running: boolean;

  constructor(
    shape: readonly number[],
    value: ArrayLike<number>,
    options: { trainable?: boolean; running?: boolean } = {},
  ) {
    super(source.input as unknown as Operation, [], { shape: [...shape] });
    if (value.length !== sizeOf(shape)) {
      throw new PushforwardError("SHAPE", "a parameter does not fill its shape", {
        expected: `${sizeOf(shape)} numbers for ${formatShape(shape)}`,
        received: `${value.length}`,
      });
    }
    this.value = value instanceof Float64Array ? value : new Float32Array(value);
    const { running = false, trainable = !running } = options;
    this.trainable = trainable;
    this.running = running;
  }

  /** Sizes of all axes: a parameter has no batch axis. */
  get sizes(): readonly number[] {
    return this.shape as readonly number[];
  }
}
