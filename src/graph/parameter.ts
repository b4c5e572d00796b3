import { PushforwardError } from "../errors.ts";
import { claimNumbers } from "../sizeBudget.ts";
import type { Floats, Operation } from "./operation.ts";
import * as source from "./operations/source.ts";
import { formatShape, sizeOf } from "./shape.ts";
import { Tensor } from "./tensor.ts";

/** The closed interval in which the numbers of a parameter lie. A model file with other numbers is refused. */
export interface Domain {
  readonly min: number;
  readonly max: number;
}

/** Squares of larger numbers overflow float32, in which models are trained and evaluated. */
const DEFAULT_DOMAIN: Domain = { min: -1e19, max: 1e19 };

/**
 * The domain of learned weights that start at about 1. An optimizer moves a weight by about the step size, which is below 1,
 * so a weight would need 1e9 steps to reach these ends.
 */
export const WEIGHT: Domain = { min: -1e9, max: 1e9 };

/** The domain of logarithms: exp(88) is the largest power of e that is finite in float32, and exp(-88) has a reciprocal. */
export const LOGARITHM: Domain = { min: -88, max: 88 };

/** A leaf of the graph that brings its own numbers: weights, and fixed arrays such as a data-fitted scale. */
export class Parameter extends Tensor {
  private array: Floats;
  #exposed = false;
  /** False for numbers that describe the model but are not learned. */
  readonly trainable: boolean;
  /** True for statistics that a training step sets: not learned by gradients, but not the same from step to step either. */
  readonly running: boolean;
  /** True for what weight decay pulls to 0: the weights of networks, but not biases, scales or locations. */
  readonly decay: boolean;
  readonly domain: Domain;

  /**
   * `start` is one number for all, the numbers, or a function that makes them: what may be large is not allocated before it is
   * known that a model file has as many.
   */
  constructor(
    shape: readonly number[],
    start: number | ArrayLike<number> | (() => ArrayLike<number>),
    options: { trainable?: boolean; running?: boolean; decay?: boolean; domain?: Domain } = {},
  ) {
    super(source.input as unknown as Operation, [], { shape: [...shape] });
    claimNumbers(sizeOf(shape));
    const value =
      typeof start === "number"
        ? new Float32Array(sizeOf(shape)).fill(start)
        : typeof start === "function"
          ? start()
          : start;
    if (value.length !== sizeOf(shape)) {
      throw new PushforwardError("SHAPE", "a parameter does not fill its shape", {
        expected: `${sizeOf(shape)} numbers for ${formatShape(shape)}`,
        received: `${value.length}`,
      });
    }
    this.array = value instanceof Float64Array ? value.slice() : new Float32Array(value);
    const { running = false, trainable = !running, decay = false, domain = DEFAULT_DOMAIN } = options;
    this.domain = domain;
    this.trainable = trainable;
    this.running = running;
    this.decay = decay;
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
