import { checkOptions, PushforwardError, trueOrFalse } from "../check/index.ts";
import { checkedNumber } from "./checkedNumber.ts";
import { checkInputTypes } from "./inputTypes.ts";
import type { Attributes, Operation } from "./operation.ts";
import * as elementwise from "./operations/elementwise.ts";
import { erf } from "./operations/erf.ts";
import * as linear from "./operations/linear.ts";
import * as reduction from "./operations/reduction.ts";
import { gatherOf, sliceOf, splitOf } from "./operations/selection.ts";
import * as source from "./operations/source.ts";
import * as structure from "./operations/structure.ts";
import {
  alignBatchAxes,
  formatShape,
  isDimension,
  knownSize,
  normalizeAxes,
  normalizeAxis,
  type Shape,
  sameShape,
  sizeOf,
} from "./shape.ts";
import { currentScope } from "./tracing/scope.ts";

/** An operand of arithmetic: a tensor, or a number, which becomes a constant. */
export type Operand = Tensor | number;

let nextId = 0;

/**
 * A symbolic, immutable tensor of static shape. One axis may be the batch axis `N`, usually the first.
 *
 * A tensor is a node of a graph: an operation applied to other tensors. Nothing is computed until the graph is compiled. Below, x is
 * this tensor, and y the other operand. Methods throw `SHAPE` if the shapes are not valid for the operation, and `ARGUMENT` for options
 * that are not valid, for operands that are neither tensors nor numbers, and for a boolean tensor in arithmetic, which `toFloat` or `where`
 * converts to numbers.
 */
export class Tensor {
  /** Increases with every new tensor, so the inputs of a tensor have lower ids. */
  readonly id: number = nextId++;
  readonly operation: Operation;
  readonly inputs: readonly Tensor[];
  readonly attributes: Attributes;
  readonly shape: Shape;
  readonly type: "float" | "bool";
  /** Path of the module that computes this tensor, such as `bijection/bijections.0`. */
  readonly scope: string = currentScope();
  /** Name of an input. */
  readonly name: string | undefined;

  constructor(operation: Operation, inputs: readonly Tensor[], attributes: Attributes, name?: string) {
    checkInputTypes(operation, inputs);
    this.operation = operation;
    this.inputs = inputs;
    this.attributes = attributes;
    this.shape = operation.shape(inputs, attributes);
    if (!this.shape.every(isDimension)) {
      throw new PushforwardError(
        "SHAPE",
        `${operation.name} has the invalid shape ${formatShape(this.shape)}`,
        {
          hint: 'Sizes are integers of at least 0, or "N".',
        },
      );
    }
    const { type = "float" } = operation;
    this.type = type === "sameAsInput" ? inputs[0].type : type;
    this.name = name;
  }

  /** The number of axes. */
  get rank(): number {
    return this.shape.length;
  }

  // Arithmetic, elementwise with broadcasting. Leading batch axes are aligned: [N] and [N, D] broadcast as [N, 1] and [N, D].
  /** x + y. */
  add(other: Operand): Tensor {
    return apply(elementwise.add, [this, other]);
  }
  /** x - y. */
  sub(other: Operand): Tensor {
    return apply(elementwise.sub, [this, other]);
  }
  /** x y, element by element. `matmul` is the matrix product. */
  mul(other: Operand): Tensor {
    return apply(elementwise.mul, [this, other]);
  }
  /** x / y. */
  div(other: Operand): Tensor {
    return apply(elementwise.div, [this, other]);
  }
  /** The larger of x and y. Where they are equal, the gradient goes to x. */
  maximum(other: Operand): Tensor {
    return apply(elementwise.maximum, [this, other]);
  }
  /** The smaller of x and y. Where they are equal, the gradient goes to x. */
  minimum(other: Operand): Tensor {
    return apply(elementwise.minimum, [this, other]);
  }
  /** x^exponent. The gradient with respect to the exponent is 0 where x <= 0. */
  power(exponent: Operand): Tensor {
    return apply(elementwise.power, [this, exponent]);
  }
  /** max(low, min(high, x)). The gradient is 0 outside the interval. */
  clip(low: number, high: number): Tensor {
    const inside = this.greaterEqual(low).and(this.lessEqual(high));
    return inside.where(this, this.stopGradient().minimum(high).maximum(low));
  }
  /** -x. */
  neg(): Tensor {
    return apply(elementwise.neg, [this]);
  }
  /** 1 / x. */
  reciprocal(): Tensor {
    return apply(elementwise.reciprocal, [this]);
  }
  /** x^2. */
  square(): Tensor {
    return apply(elementwise.square, [this]);
  }
  /** The square root of x. */
  sqrt(): Tensor {
    return apply(elementwise.sqrt, [this]);
  }
  /** |x|, with gradient 0 at 0. */
  abs(): Tensor {
    return apply(elementwise.abs, [this]);
  }
  /** -1, 0 or 1, the sign of x, with gradient 0. */
  sign(): Tensor {
    return apply(elementwise.sign, [this]);
  }
  /** 1 where x > 0, else 0. */
  step(): Tensor {
    return apply(elementwise.step, [this]);
  }
  /** The largest integer that is at most x, with gradient 0. */
  floor(): Tensor {
    return apply(elementwise.floor, [this]);
  }
  /** exp(x). */
  exp(): Tensor {
    return apply(elementwise.exp, [this]);
  }
  /** The natural logarithm of x. */
  log(): Tensor {
    return apply(elementwise.log, [this]);
  }
  /** log(1 + x), to full precision near 0. */
  log1p(): Tensor {
    return apply(elementwise.log1p, [this]);
  }
  /** exp(x) - 1, to full precision near 0. */
  expm1(): Tensor {
    return apply(elementwise.expm1, [this]);
  }
  /** sin(x), for x in radians. */
  sin(): Tensor {
    return apply(elementwise.sin, [this]);
  }
  /** cos(x), for x in radians. */
  cos(): Tensor {
    return apply(elementwise.cos, [this]);
  }
  /** The error function, 2 / sqrt(pi) times the integral of exp(-t^2) from 0 to x. */
  erf(): Tensor {
    return apply(erf, [this]);
  }

  // Activations
  /** tanh(x). */
  tanh(): Tensor {
    return apply(elementwise.tanh, [this]);
  }
  /** 1 / (1 + exp(-x)). */
  sigmoid(): Tensor {
    return apply(elementwise.sigmoid, [this]);
  }
  /** log(1 + exp(x)). */
  softplus(): Tensor {
    return apply(elementwise.softplus, [this]);
  }
  /** max(x, 0). */
  relu(): Tensor {
    return apply(elementwise.relu, [this]);
  }
  /** x where x > 0, else `slope` x. Default slope 0.01. */
  leakyRelu(slope = 0.01): Tensor {
    return this.mul(slope).add(this.relu().mul(1 - slope));
  }
  /** x where x > 0, else exp(x) - 1. */
  elu(): Tensor {
    return apply(elementwise.elu, [this]);
  }
  /** x Phi(x), with the exact normal distribution function. */
  gelu(): Tensor {
    return apply(elementwise.gelu, [this]);
  }
  /** x / (1 + |x| / bound): a smooth clamp to +-bound. */
  softClamp(bound: number): Tensor {
    return apply(elementwise.softClamp, [this], { bound });
  }
  /** x sigmoid(x). */
  silu(): Tensor {
    return this.mul(this.sigmoid());
  }

  // Comparison and selection
  /** Whether x > y: a boolean tensor. */
  greater(other: Operand): Tensor {
    return apply(elementwise.greater, [this, other]);
  }
  /** Whether x >= y: a boolean tensor. */
  greaterEqual(other: Operand): Tensor {
    return apply(elementwise.greaterEqual, [this, other]);
  }
  /** Whether x < y: a boolean tensor. */
  less(other: Operand): Tensor {
    return apply(elementwise.less, [this, other]);
  }
  /** Whether x <= y: a boolean tensor. */
  lessEqual(other: Operand): Tensor {
    return apply(elementwise.lessEqual, [this, other]);
  }
  /** Whether x = y: a boolean tensor, false where x or y is NaN. */
  equal(other: Operand): Tensor {
    return apply(elementwise.equal, [this, other]);
  }
  /** Whether both of two boolean tensors are true. */
  and(other: Tensor): Tensor {
    return apply(elementwise.and, [this, other]);
  }
  /** Whether at least one of two boolean tensors is true. */
  or(other: Tensor): Tensor {
    return apply(elementwise.or, [this, other]);
  }
  /** Whether a boolean tensor is false. */
  not(): Tensor {
    return apply(elementwise.not, [this]);
  }
  /**
   * For a boolean tensor: `a` where it is true, `b` elsewhere. The gradient of the other branch is 0, but NaN if its derivative is infinite or
   * NaN there, as that of a logarithm at 0: replace its argument too, by `condition.where(x, 1).log()`.
   */
  where(a: Operand, b: Operand): Tensor {
    return apply(elementwise.where, [this, a, b]);
  }
  /** 1 where true, 0 where false. */
  toFloat(): Tensor {
    return apply(elementwise.toFloat, [this]);
  }
  /** The same values, with gradient 0. */
  stopGradient(): Tensor {
    return apply(elementwise.stopGradient, [this]);
  }

  // Reductions, by default over all axes
  /** The sum over `axes`, by default over all. With `keepAxes` they stay as axes of size 1. Default false. */
  sum(axes?: number | readonly number[], options: { keepAxes?: boolean } = {}): Tensor {
    return reduction.reduce(this, reduction.sum, axes, options);
  }
  /** The largest element over `axes`, as in `sum`. Elements that are equally large share the gradient. */
  max(axes?: number | readonly number[], options: { keepAxes?: boolean } = {}): Tensor {
    return reduction.reduce(this, reduction.max, axes, options);
  }
  /** The mean over `axes`, as in `sum`. Over the batch axis it is the mean over all rows of a call. */
  mean(axes?: number | readonly number[], options: { keepAxes?: boolean } = {}): Tensor {
    const sizes = normalizeAxes("mean", axes, this.shape).map((axis) => this.shape[axis]);
    const total = this.sum(axes, options);
    const count = sizeOf(sizes);
    return sizes.includes("N") ? total.div(batchSize().mul(count)) : total.mul(1 / count);
  }
  /** log(sum(exp(x))) over `axes`, as in `sum`, without overflow for finite x; -Infinity if all elements are. */
  logsumexp(axes?: number | readonly number[], options: { keepAxes?: boolean } = {}): Tensor {
    return reduction.reduce(this, reduction.logsumexp, axes, options);
  }
  /** exp(x) / sum(exp(x)) along an axis, by default the last. */
  softmax(axis = -1): Tensor {
    return apply(reduction.softmax, [this], { axis: normalizeAxis("softmax", axis, this.shape) });
  }
  /** x - log(sum(exp(x))) along an axis, by default the last. */
  logSoftmax(axis = -1): Tensor {
    return apply(reduction.logSoftmax, [this], { axis: normalizeAxis("logSoftmax", axis, this.shape) });
  }
  /** Cumulative sum along an axis, by default the last. With `reverse` it begins at the end of the axis. Default false. */
  cumsum(axis = -1, options: { reverse?: boolean } = {}): Tensor {
    checkOptions("cumsum", options, { reverse: trueOrFalse });
    const { reverse = false } = options;
    return apply(reduction.cumsum, [this], { axis: normalizeAxis("cumsum", axis, this.shape), reverse });
  }

  // Linear algebra
  /**
   * Product of the matrices in the last two axes, [..., I, K] by [..., K, J] -> [..., I, J], with broadcast leading axes. `transposeA` and
   * `transposeB` transpose the matrices first. Default false.
   */
  matmul(other: Tensor, options: { transposeA?: boolean; transposeB?: boolean } = {}): Tensor {
    checkOptions("matmul", options, { transposeA: trueOrFalse, transposeB: trueOrFalse });
    const { transposeA = false, transposeB = false } = options;
    return apply(linear.matmul, [this, other], { transposeA, transposeB });
  }
  /** x W + b: [..., I] by [I, O] plus [O] or [..., O]. */
  affine(weight: Tensor, bias: Tensor): Tensor {
    return apply(linear.affine, [this, weight, bias], { transposeA: false, transposeB: false });
  }
  /** a^T b, summed over all axes except the last: [..., K], [..., M] -> [K, M]. In JAX: `jnp.einsum('...k,...m->km', a, b)`. */
  contractLeading(other: Tensor): Tensor {
    return apply(linear.contractLeading, [this, other]);
  }
  /** Outer products of the vectors in the last axis: [..., I], [..., J] -> [..., I, J]. */
  outer(other: Tensor): Tensor {
    return this.reshape([...this.shape, 1]).mul(
      other.reshape([...other.shape.slice(0, -1), 1, other.shape.at(-1)!]),
    );
  }
  /**
   * Sets the elements above a diagonal of the matrices in the last two axes to 0. Default 0, the main diagonal; diagonal 1 is right of it.
   */
  lowerTriangle(diagonal = 0): Tensor {
    return this.mul(linear.matrixMask("lowerTriangle", this.shape, (i, j) => j - i <= diagonal));
  }
  /** Sets the elements below a diagonal of the matrices in the last two axes to 0. Default 0, the main diagonal. */
  upperTriangle(diagonal = 0): Tensor {
    return this.mul(linear.matrixMask("upperTriangle", this.shape, (i, j) => j - i >= diagonal));
  }

  // Shape and order
  /** The same elements in row-major order in another shape. The sizes before and after the batch axis keep their products. */
  reshape(shape: Shape): Tensor {
    return sameShape(shape, this.shape) ? this : apply(structure.reshape, [this], { shape: [...shape] });
  }
  /** Axis i of the result is axis `order[i]` of this tensor; by default the order of the axes is reversed. */
  transpose(order: readonly number[] = this.shape.map((_, i) => i).reverse()): Tensor {
    return apply(structure.transpose, [this], { order: [...order] });
  }
  /** Positions start to end - 1 of an axis. */
  slice(axis: number, start: number, end: number): Tensor {
    const position = normalizeAxis("slice", axis, this.shape);
    if (start === 0 && end === this.shape[position]) return this;
    return sliceOf(this, position, start, end);
  }
  /** Consecutive slices of the given sizes along an axis, which together are the whole tensor. */
  split(axis: number, sizes: readonly number[]): Tensor[] {
    return splitOf(this, normalizeAxis("split", axis, this.shape), sizes);
  }
  /** Adds zeros before and after the positions of an axis. */
  pad(axis: number, before: number, after: number): Tensor {
    if (before === 0 && after === 0) return this;
    return apply(structure.pad, [this], { axis: normalizeAxis("pad", axis, this.shape), before, after });
  }
  /** Selects positions of an axis by constant indices, in any order and with repetitions. */
  gather(axis: number, indices: Iterable<number>): Tensor {
    return gatherOf(this, normalizeAxis("gather", axis, this.shape), [...indices]);
  }
  /** Reorders an axis: position i of the result is position `order[i]`. `order` and its inverse permutation have shape [size]. */
  permute(axis: number, order: Tensor, inverse: Tensor): Tensor {
    return apply(structure.permute, [this, order, inverse], {
      axis: normalizeAxis("permute", axis, this.shape),
    });
  }
  /** Reverses the order of the positions of an axis. */
  flip(axis: number): Tensor {
    const size = knownSize("flip cannot reverse", normalizeAxis("flip", axis, this.shape), this.shape);
    return this.gather(
      axis,
      Array.from({ length: size }, (_, i) => size - 1 - i),
    );
  }
  /** Repeats this tensor along axes of size 1, and along new leading axes, to the given shape. */
  broadcastTo(shape: Shape): Tensor {
    return sameShape(shape, this.shape) ? this : apply(structure.broadcastTo, [this], { shape: [...shape] });
  }
}

/** The result of an operation on tensors and numbers. */
export function apply<A extends Attributes>(
  operation: Operation<A>,
  inputs: readonly Operand[],
  attributes?: A,
): Tensor {
  const tensors = inputs.map(toTensor);
  if (operation.broadcasts !== "elementwise") return new Tensor(operation, tensors, attributes ?? {});
  const shapes = alignBatchAxes(tensors.map(({ shape }) => shape));
  const aligned = tensors.map((tensor, i) => tensor.reshape(shapes[i]));
  return new Tensor(operation, aligned, attributes ?? {});
}

const toTensor = (operand: Operand): Tensor =>
  operand instanceof Tensor ? operand : scalar(checkedNumber(operand));

/** A constant of shape []. */
export function scalar(value: number): Tensor {
  return new Tensor(source.constant, [], { shape: [], values: [value] });
}

/** A tensor of fixed numbers in row-major order. Throws `SHAPE` if their number does not match the shape, or the shape has an N. */
export function constant(values: ArrayLike<number>, shape: Shape): Tensor {
  if (shape.includes("N")) {
    throw new PushforwardError("SHAPE", "a constant cannot have a batch axis", {
      received: formatShape(shape),
      hint: "Leave out the batch axis, and broadcast the constant to it.",
    });
  }
  if (values.length !== sizeOf(shape)) {
    throw new PushforwardError("SHAPE", "the numbers of a constant do not match its shape", {
      expected: `${sizeOf(shape)} numbers for ${formatShape(shape)}`,
      received: `${values.length}`,
    });
  }
  return new Tensor(source.constant, [], {
    shape: [...shape],
    values: Array.from(values),
  });
}

/** The constant [rows, columns] of the numbers `value(row, column)`. */
export const constantMatrix = (
  rows: number,
  columns: number,
  value: (row: number, column: number) => number,
): Tensor =>
  constant(
    Array.from({ length: rows * columns }, (_, i) => value(Math.floor(i / columns), i % columns)),
    [rows, columns],
  );

/** The row [1, size] with 1 at `position` and 0 elsewhere. */
export const unitRow = (size: number, position: number): Tensor =>
  constantMatrix(1, size, (_, i) => +(i === position));

/** A tensor whose numbers are passed in when the graph runs. Throws `SHAPE` if its batch axis is not the first. */
export function input(name: string, shape: Shape): Tensor {
  if (shape.lastIndexOf("N") > 0) {
    throw new PushforwardError(
      "SHAPE",
      `the batch axis of input ${name} is not its first axis: ${formatShape(shape)}`,
    );
  }
  return new Tensor(source.input, [], { shape: [...shape] }, name);
}

/** The number of rows N, as a scalar tensor. */
export const batchSize = (): Tensor => apply(source.batchSize, []);

/** The distance from 1 to the next number of the precision that the graph is compiled to: 2^-23 or 2^-52. */
export const epsilon = (): Tensor => apply(source.epsilon, []);

/** A tensor of the shape `shape`, which may have a batch axis, in which every element is `value`. */
export const filled = (value: number, shape: Shape): Tensor => scalar(value).broadcastTo(shape);

/**
 * Tensors joined along an existing axis: for the axis 1, [N, I] and [N, J] -> [N, I + J]. A negative axis counts from the end. Throws
 * `SHAPE` if the sizes of other axes differ, or if the axis is the batch axis, and `ARGUMENT` for an empty list.
 */
export function concat(tensors: readonly Tensor[], axis: number): Tensor {
  requireTensors("concat", tensors);
  const position = normalizeAxis("concat", axis, tensors[0].shape);
  return tensors.length === 1 ? tensors[0] : apply(structure.concat, tensors, { axis: position });
}

/**
 * Tensors of equal shapes joined along a new axis: for the axis 1, k tensors [N, D] -> [N, k, D]. A negative axis counts from the end of
 * the result. Throws `SHAPE` if the shapes differ, and `ARGUMENT` for an empty list.
 */
export function stack(tensors: readonly Tensor[], axis: number): Tensor {
  requireTensors("stack", tensors);
  const position = normalizeAxis("the result of stack", axis, [...tensors[0].shape, tensors.length]);
  return concat(
    tensors.map((t) => t.reshape([...t.shape.slice(0, position), 1, ...t.shape.slice(position)])),
    position,
  );
}

function requireTensors(operation: string, tensors: readonly Tensor[]): void {
  if (tensors.length === 0) throw new PushforwardError("ARGUMENT", `${operation} needs at least one tensor`);
}
