import { PushforwardError } from "../errors.ts";
import type { Floats, Operation } from "./operation.ts";
import * as source from "./operations/source.ts";
import { formatShape, sizeOf } from "./shape.ts";
import { Tensor } from "./tensor.ts";

/** A leaf of the graph that brings its own numbers: weights, and fixed arrays such as a data-fitted scale. */
export class Parameter extends Tensor {
  private array: Floats;
  #exposed = false;
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
    this.array = value instanceof Float64Array ? value.slice() : new Float32Array(value);
    const { running = false, trainable = !running } = options;
    this.trainable = trainable;
    this.running = running;
  }

  /**
   * The numbers. They may be written to, or replaced by an array of the same length (a view of the optimizer's flat buffer, or
   * float64 numbers); a compiled function reads them at each call.
   */
  get value(): Floats {
    this.#exposed = true;
    return this.array;
  }
  set value(value: Floats) {
    this.#exposed = true;
    this.array = value;
  }

  /** The numbers, to be read only. */
  get numbers(): Floats {
    return this.array;
  }

  /** Replaces the numbers by an array that nobody else will write to. */
  take(value: Floats): void {
    this.#exposed = false;
    this.array = value;
  }

  /** Whether somebody has asked for `value`, and may write to `numbers` at any time. */
  get exposed(): boolean {
    return this.#exposed;
  }

  /** Sizes of all axes: a parameter has no batch axis. */
  get sizes(): readonly number[] {
    return this.shape as readonly number[];
  }
}
