import { PushforwardError } from "../errors.ts";
import type { Attributes, Operation } from "./operation.ts";
import { convolution } from "./operations/convolution.ts";
import * as elementwise from "./operations/elementwise.ts";
import { erf } from "./operations/erf.ts";
import * as linear from "./operations/linear.ts";
import * as reduction from "./operations/reduction.ts";
import * as source from "./operations/source.ts";
import * as structure from "./operations/structure.ts";
import { broadcastShapes, formatShape, normalizeAxis, type Shape, sameShape, sizeOf } from "./shape.ts";
import { currentScope } from "./tracing/scope.ts";

/** What arithmetic accepts: a tensor, or a number that becomes a constant. */
export type Operand = Tensor | number;

let created = 0;

/**
 * A symbolic, immutable tensor of static shape; one axis may be the batch axis `N`, mostly the leading one.
 *
 * A tensor is a node of a graph: an operation applied to other tensors. Nothing is computed until the graph is compiled.
 */
export class Tensor {
  /** Rises with every tensor, so that inputs come before outputs. */
  readonly id: number = created++;
  readonly operation: Operation;
  readonly inputs: readonly Tensor[];
  readonly attributes: Attributes;
  readonly shape: Shape;
  readonly type: "float" | "bool";
  /** Path of the module that built it. */
  readonly scope: string = currentScope();
  /** Name of an input or a parameter. */
  readonly name: string | undefined;

  constructor(operation: Operation, inputs: readonly Tensor[], attributes: Attributes, name?: string) {
    this.operation = operation;
    this.inputs = inputs;
    this.attributes = attributes;
    this.shape = operation.shape(inputs, attributes);
    this.type = operation.type ?? "float";
    this.name = name;
  }

  get rank(): number {
    return this.shape.length;
  }

  // Arithmetic, elementwise with broadcasting
  add(other: Operand): Tensor {
    return apply(elementwise.add, [this, other]);
  }
  sub(other: Operand): Tensor {
    return apply(elementwise.sub, [this, other]);
  }
  mul(other: Operand): Tensor {
    return apply(elementwise.mul, [this, other]);
  }
  div(other: Operand): Tensor {
    return apply(elementwise.div, [this, other]);
  }
  maximum(other: Operand): Tensor {
    return apply(elementwise.maximum, [this, other]);
  }
  minimum(other: Operand): Tensor {
    return apply(elementwise.minimum, [this, other]);
  }
  power(exponent: Operand): Tensor {
    return apply(elementwise.power, [this, exponent]);
  }
  /** max(low, min(high, x)); the gradient is 0 outside. */
  clip(low: number, high: number): Tensor {
    const inside = this.greaterEqual(low).and(this.lessEqual(high));
    return inside.where(this, this.stopGradient().maximum(low).minimum(high));
  }
  neg(): Tensor {
    return apply(elementwise.neg, [this]);
  }
  reciprocal(): Tensor {
    return apply(elementwise.reciprocal, [this]);
  }
  square(): Tensor {
    return apply(elementwise.square, [this]);
  }
  sqrt(): Tensor {
    return apply(elementwise.sqrt, [this]);
  }
  abs(): Tensor {
    return apply(elementwise.abs, [this]);
  }
  sign(): Tensor {
    return apply(elementwise.sign, [this]);
  }
  /** 1 where x > 0, else 0. */
  step(): Tensor {
    return apply(elementwise.step, [this]);
  }
  floor(): Tensor {
    return apply(elementwise.floor, [this]);
  }
  exp(): Tensor {
    return apply(elementwise.exp, [this]);
  }
  log(): Tensor {
    return apply(elementwise.log, [this]);
  }
  log1p(): Tensor {
    return apply(elementwise.log1p, [this]);
  }
  expm1(): Tensor {
    return apply(elementwise.expm1, [this]);
  }
  sin(): Tensor {
    return apply(elementwise.sin, [this]);
  }
  cos(): Tensor {
    return apply(elementwise.cos, [this]);
  }
  erf(): Tensor {
    return apply(erf, [this]);
  }

  // Activations
  tanh(): Tensor {
    return apply(elementwise.tanh, [this]);
  }
  sigmoid(): Tensor {
    return apply(elementwise.sigmoid, [this]);
  }
  /** log(1 + exp(x)). */
  softplus(): Tensor {
    return apply(elementwise.softplus, [this]);
  }
  relu(): Tensor {
    return apply(elementwise.relu, [this]);
  }
  leakyRelu(slope = 0.01): Tensor {
    return this.greater(0).where(this, this.mul(slope));
  }
  /** x where x > 0, else exp(x) - 1. */
  elu(): Tensor {
    return this.greater(0).where(this, this.minimum(0).expm1());
  }
  /** x Phi(x), with the exact normal distribution function. */
  gelu(): Tensor {
    return this.mul(0.5).mul(this.mul(Math.SQRT1_2).erf().add(1));
  }
  /** x / (1 + |x| / bound), within +-bound. */
  softClamp(bound: number): Tensor {
    return apply(elementwise.softClamp, [this], { bound });
  }
  /** x sigmoid(x). */
  silu(): Tensor {
    return this.mul(this.sigmoid());
  }

  // Comparison and selection
  greater(other: Operand): Tensor {
    return apply(elementwise.greater, [this, other]);
  }
  greaterEqual(other: Operand): Tensor {
    return apply(elementwise.greaterEqual, [this, other]);
  }
  less(other: Operand): Tensor {
    return apply(elementwise.less, [this, other]);
  }
  lessEqual(other: Operand): Tensor {
    return apply(elementwise.lessEqual, [this, other]);
  }
  equal(other: Operand): Tensor {
    return apply(elementwise.equal, [this, other]);
  }
  and(other: Tensor): Tensor {
    return apply(elementwise.and, [this, other]);
  }
  or(other: Tensor): Tensor {
    return apply(elementwise.or, [this, other]);
  }
  not(): Tensor {
    return apply(elementwise.not, [this]);
  }
  /** For a condition: `then` where it holds, `otherwise` elsewhere. */
  where(then: Operand, otherwise: Operand): Tensor {
    return apply(elementwise.where, [this, then, otherwise]);
  }
  /** 1 where true, 0 where false. */
  toFloat(): Tensor {
    return apply(elementwise.toFloat, [this]);
  }
  stopGradient(): Tensor {
    return apply(elementwise.stopGradient, [this]);
  }

  // Reductions, over all axes unless told
  sum(axes?: number | readonly number[], options: { keepAxes?: boolean } = {}): Tensor {
    return reduce(this, reduction.sum, axes, options);
  }
  max(axes?: number | readonly number[], options: { keepAxes?: boolean } = {}): Tensor {
    return reduce(this, reduction.max, axes, options);
  }
  mean(axes?: number | readonly number[], options: { keepAxes?: boolean } = {}): Tensor {
    const over = reductionAxes(this, "mean", axes).map((axis) => this.shape[axis]);
    const total = this.sum(axes, options);
    const count = sizeOf(over);
    return over.includes("N") ? total.div(batchSize().mul(count)) : total.mul(1 / count);
  }
  /** log(sum(exp(x))), stable for every finite x, and -Infinity where all of x is. */
  logsumexp(axes?: number | readonly number[], options: { keepAxes?: boolean } = {}): Tensor {
    return reduce(this, reduction.logsumexp, axes, options);
  }
  softmax(axis = -1): Tensor {
    return apply(reduction.softmax, [this], { axis: normalizeAxis("softmax", axis, this.shape) });
  }
  logSoftmax(axis = -1): Tensor {
    return apply(reduction.logSoftmax, [this], { axis: normalizeAxis("logSoftmax", axis, this.shape) });
  }
  cumsum(axis = -1, { reverse = false } = {}): Tensor {
    return apply(reduction.cumsum, [this], { axis: normalizeAxis("cumsum", axis, this.shape), reverse });
  }

  // Linear algebra
  matmul(other: Tensor, { transposeA = false, transposeB = false } = {}): Tensor {
    return apply(linear.matmul, [this, other], { transposeA, transposeB });
  }
  /** x W + b: [..., I] by [I, O] plus [O] or [..., O]. */
  affine(weight: Tensor, bias: Tensor): Tensor {
    return apply(linear.affine, [this, weight, bias], { transposeA: false, transposeB: false });
  }
  /** a^T b over all axes but the last: [..., K], [..., M] -> [K, M]. */
  contractLeading(other: Tensor): Tensor {
    return apply(linear.contractLeading, [this, other]);
  }
  /** Cross-correlation with same padding: [N, C, H, W] by [O, C, K, K], K odd -> [N, O, H, W]. */
  convolution(weight: Tensor): Tensor {
    return apply(convolution, [this, weight]);
  }
  /** [..., I], [..., J] -> [..., I, J]. */
  outer(other: Tensor): Tensor {
    return this.reshape([...this.shape, 1]).mul(
      other.reshape([...other.shape.slice(0, -1), 1, other.shape.at(-1)!]),
    );
  }
  /** Zeros above the diagonal (counted from `diagonal`, positive to the right) of the last two axes. */
  lowerTriangle(diagonal = 0): Tensor {
    return this.mul(triangle(this.shape, (i, j) => j - i <= diagonal));
  }
  /** Zeros below the diagonal of the last two axes. */
  upperTriangle(diagonal = 0): Tensor {
    return this.mul(triangle(this.shape, (i, j) => j - i >= diagonal));
  }

  // Structure
  reshape(shape: Shape): Tensor {
    return sameShape(shape, this.shape) ? this : apply(structure.reshape, [this], { shape: [...shape] });
  }
  transpose(order: readonly number[] = this.shape.map((_, i) => i).reverse()): Tensor {
    return apply(structure.transpose, [this], { order: [...order] });
  }
  slice(axis: number, start: number, end: number): Tensor {
    const position = normalizeAxis("slice", axis, this.shape);
    if (start === 0 && end === this.shape[position]) return this;
    const parts = structure.sliceSources(this, position, [start, end]);
    if (parts.length > 1 || parts[0].source !== this)
      return concat(
        parts.map((part) => part.source.slice(position, part.start, part.end)),
        position,
      );
    return apply(structure.slice, [this], { axis: position, start, end });
  }
  /** Consecutive parts of the given sizes along an axis. */
  split(axis: number, sizes: readonly number[]): Tensor[] {
    const position = normalizeAxis("split", axis, this.shape);
    const total = sizes.reduce((a, b) => a + b, 0);
    if (total !== this.shape[position]) {
      throw new PushforwardError(
        "SHAPE",
        `split cannot cut axis ${axis} of ${formatShape(this.shape)} into ${sizes.join(" + ")}`,
      );
    }
    let start = 0;
    return sizes.map((size) => {
      const part = this.slice(position, start, start + size);
      start += size;
      return part;
    });
  }
  pad(axis: number, before: number, after: number): Tensor {
    if (before === 0 && after === 0) return this;
    return apply(structure.pad, [this], { axis: normalizeAxis("pad", axis, this.shape), before, after });
  }
  gather(axis: number, indices: Iterable<number>): Tensor {
    const position = normalizeAxis("gather", axis, this.shape);
    const { source, chosen } = structure.gatherSource(this, position, [...indices]);
    const stretches = position === this.rank - 1 ? structure.stretches(chosen) : undefined;
    if (stretches)
      return concat(
        stretches.map(([start, end]) => source.slice(position, start, end)),
        position,
      );
    const all = chosen.length === source.shape[position] && chosen.every((index, i) => index === i);
    return all ? source : apply(structure.gather, [source], { axis: position, indices: chosen });
  }
  /** One axis reordered: position i gets what is at `order[i]`. Both are [size], and `inverse` is its inverse permutation. */
  permute(axis: number, order: Tensor, inverse: Tensor): Tensor {
    return apply(structure.permute, [this, order, inverse], {
      axis: normalizeAxis("permute", axis, this.shape),
    });
  }
  flip(axis: number): Tensor {
    const size = this.shape[normalizeAxis("flip", axis, this.shape)] as number;
    return this.gather(
      axis,
      Array.from({ length: size }, (_, i) => size - 1 - i),
    );
  }
  broadcastTo(shape: Shape): Tensor {
    if (sameShape(shape, this.shape)) return this;
    if (!sameShape(broadcastShapes("broadcastTo", this.shape, shape), shape)) {
      throw new PushforwardError(
        "SHAPE",
        `broadcastTo cannot stretch ${formatShape(this.shape)} to ${formatShape(shape)}`,
      );
    }
    return apply(structure.broadcastTo, [this], { shape: [...shape] });
  }
}

/** Applies an operation. */
export function apply<A extends Attributes>(
  operation: Operation<A>,
  inputs: readonly Operand[],
  attributes?: A,
): Tensor {
  return new Tensor(operation as unknown as Operation, inputs.map(toTensor), attributes ?? {});
}

const toTensor = (operand: Operand): Tensor => (typeof operand === "number" ? scalar(operand) : operand);

export function scalar(value: number): Tensor {
  return new Tensor(source.constant as unknown as Operation, [], { shape: [], values: [value] });
}

/** Fixed numbers in row-major order. */
export function constant(values: ArrayLike<number>, shape: Shape): Tensor {
  if (shape.includes("N")) {
    throw new PushforwardError("SHAPE", "constant has no batch axis", {
      received: formatShape(shape),
      hint: "Leave the axis out, and broadcast.",
    });
  }
  if (values.length !== sizeOf(shape)) {
    throw new PushforwardError("SHAPE", "constant does not fill its shape", {
      expected: `${sizeOf(shape)} numbers for ${formatShape(shape)}`,
      received: `${values.length}`,
    });
  }
  return new Tensor(source.constant as unknown as Operation, [], {
    shape: [...shape],
    values: Array.from(values),
  });
}

/** A tensor that is given when the graph runs. */
export function input(name: string, shape: Shape): Tensor {
  if (shape.lastIndexOf("N") > 0) {
    throw new PushforwardError("SHAPE", `input ${name} has its batch axis in ${formatShape(shape)}`, {
      hint: "The batch axis N must be the leading one.",
    });
  }
  return new Tensor(source.input as unknown as Operation, [], { shape: [...shape] }, name);
}

/** The number of rows N as a scalar tensor. */
export const batchSize = (): Tensor => apply(source.batchSize, []);

export const filled = (value: number, shape: Shape): Tensor => scalar(value).broadcastTo(shape);

export function concat(tensors: readonly Tensor[], axis: number): Tensor {
  if (tensors.length === 1) return tensors[0];
  return apply(structure.concat, tensors, { axis: normalizeAxis("concat", axis, tensors[0].shape) });
}

/** Joins equal shapes along a new axis. */
export function stack(tensors: readonly Tensor[], axis: number): Tensor {
  const position = axis < 0 ? axis + tensors[0].rank + 1 : axis;
  return concat(
    tensors.map((t) => t.reshape([...t.shape.slice(0, position), 1, ...t.shape.slice(position)])),
    position,
  );
}

function reductionAxes(x: Tensor, name: string, axes?: number | readonly number[]): number[] {
  const chosen = axes === undefined ? x.shape.map((_, i) => i) : typeof axes === "number" ? [axes] : axes;
  return chosen.map((axis) => normalizeAxis(name, axis, x.shape)).sort((a, b) => a - b);
}

function reduce(
  x: Tensor,
  operation: Operation<reduction.Reduction>,
  axes: number | readonly number[] | undefined,
  { keepAxes = false }: { keepAxes?: boolean },
): Tensor {
  const over = reductionAxes(x, operation.name, axes);
  return over.length === 0 ? x : apply(operation, [x], { axes: over, keepAxes });
}

function triangle(shape: Shape, keep: (row: number, column: number) => boolean): Tensor {
  const [rows, columns] = shape.slice(-2) as number[];
  const mask = Array.from({ length: rows * columns }, (_, k) =>
    keep(Math.floor(k / columns), k % columns) ? 1 : 0,
  );
  return constant(mask, [rows, columns]);
}
