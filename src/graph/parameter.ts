import { anyValue, checkOptions, claimNumbers, PushforwardError, trueOrFalse } from "../check/index.ts";
import type { Floats } from "./operation.ts";
import { input } from "./operations/source.ts";
import { formatShape, sizeOf } from "./shape.ts";
import { Tensor } from "./tensor.ts";

/** The closed interval that contains the numbers of a parameter. A model file with numbers outside it is rejected. */
export interface Domain {
  readonly min: number;
  readonly max: number;
}

/** Squares of larger numbers overflow float32, in which models are trained and evaluated. */
const DEFAULT_DOMAIN: Domain = { min: -1e19, max: 1e19 };

/**
 * The domain of learned weights that start at about 1. An optimizer moves a weight by about the learning rate, which is below 1,
 * so a weight would need 1e9 steps to reach these ends.
 */
export const WEIGHT: Domain = { min: -1e9, max: 1e9 };

/** The domain of logarithms: exp(88) is the largest power of e that is finite in float32, and exp(-88) has a reciprocal. */
export const LOGARITHM: Domain = { min: -88, max: 88 };

const parameterRules = {
  trainable: trueOrFalse,
  running: trueOrFalse,
  decay: trueOrFalse,
  domain: anyValue,
};

/** A tensor with numbers: the weights of a network, or a fixed array such as a scale that is fitted to data. */
export class Parameter extends Tensor {
  private array: Floats;
  #exposed = false;
  /** False for numbers that belong to the model but are not learned. */
  readonly trainable: boolean;
  /** True for running statistics, which a training step sets without gradients. */
  readonly running: boolean;
  /** True if weight decay applies: for the weights of networks, but not for biases, scales or locations. */
  readonly decay: boolean;
  readonly domain: Domain;

  /**
   * `start` is one number for all elements, an array, or a function that returns an array. Use a function for large arrays: while
   * a model file is loaded, it is called only after the size of the array was checked against the size of the file.
   *
   * `trainable` is by default true, and false for `running` statistics. `running` and `decay` are by default false, and `domain` is
   * [-1e19, 1e19].
   *
   * @throws SHAPE if `start` has a different number of elements from the shape; ARGUMENT for an unknown option or an invalid shape.
   */
  constructor(
    shape: readonly number[],
    start: number | ArrayLike<number> | (() => ArrayLike<number>),
    options: { trainable?: boolean; running?: boolean; decay?: boolean; domain?: Domain } = {},
  ) {
    checkOptions("new Parameter", options, parameterRules);
    if (!shape.every((size) => Number.isSafeInteger(size) && size >= 0)) {
      throw new PushforwardError("ARGUMENT", `a parameter cannot have the shape ${formatShape(shape)}`);
    }
    super(input, [], { shape: [...shape] });
    claimNumbers(sizeOf(shape));
    const value =
      typeof start === "number"
        ? new Float32Array(sizeOf(shape)).fill(start)
        : typeof start === "function"
          ? start()
          : start;
    this.requireSize(value);
    this.array = value instanceof Float64Array ? value.slice() : new Float32Array(value);
    const { running = false, trainable = !running, decay = false, domain = DEFAULT_DOMAIN } = options;
    this.domain = domain;
    this.trainable = trainable;
    this.running = running;
    this.decay = decay;
  }

  /**
   * The numbers, which may be written to or replaced by an array of the same length, in float32 or float64. A compiled function
   * reads them in each call. Throws `SHAPE` for an array of another length.
   */
  get value(): Floats {
    this.#exposed = true;
    return this.array;
  }
  set value(value: Floats) {
    this.requireSize(value);
    this.#exposed = true;
    this.array = value;
  }

  /** The numbers, for reading only: unlike `value` this does not mark the parameter as exposed. */
  get numbers(): Floats {
    return this.array;
  }

  /** Replaces the numbers by an array that no other code writes to. Throws `SHAPE` for an array of another length. */
  take(value: Floats): void {
    this.requireSize(value);
    this.#exposed = false;
    this.array = value;
  }

  /**
   * Whether `value` was read, so that its reader may write to the numbers at any time. The numbers of other parameters change only by `take`, which
   * replaces the array, so that code that keeps results of a parameter need not compare all its numbers.
   */
  get exposed(): boolean {
    return this.#exposed;
  }

  /** The shape, as numbers: a parameter has no batch axis. */
  get sizes(): readonly number[] {
    return this.shape as readonly number[];
  }

  private requireSize({ length }: ArrayLike<number>): void {
    const { shape } = this;
    if (length === sizeOf(shape)) return;
    throw new PushforwardError("SHAPE", "the numbers of a parameter do not match its shape", {
      expected: `${sizeOf(shape)} numbers for ${formatShape(shape)}`,
      received: `${length}`,
    });
  }
}
