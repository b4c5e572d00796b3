import type { Shape } from "./shape.ts";
import type { Tensor } from "./tensor.ts";

/** Values that a node carries beside its inputs; they must survive `JSON.stringify`, which keys common subexpressions. */
export type Attributes = Readonly<Record<string, unknown>>;

export type Floats = Float32Array | Float64Array;

/** An attribute of an ONNX node: integers, unless wrapped as `{ float }`. */
export type OnnxAttribute = number | readonly number[] | string | { readonly float: number };

/** ONNX's code of float32. */
export const FLOAT32 = 1;

/** What a loop does in one turn: from placeholders to the next state. */
export interface LoopBody {
  readonly state: readonly Tensor[];
  readonly next: readonly Tensor[];
  /** A boolean scalar: whether there is another turn. */
  readonly proceed: Tensor;
}

/** What an operation uses to write itself as ONNX nodes; names are those of ONNX values. */
export interface Emitter {
  node(type: string, inputs: readonly string[], attributes?: Record<string, OnnxAttribute>): string;
  /**
   * A node that repeats a body, at most `most` times, and sees `captured` values from outside. Result i is named after the
   * one that is given, with `.i`.
   */
  loop(
    body: LoopBody,
    initial: readonly string[],
    captured: ReadonlyMap<Tensor, string>,
    most: number,
  ): string;
  /** A scalar of the graph's precision. */
  scalar(value: number): string;
  /** A vector of int64. */
  integers(values: readonly number[]): string;
  /** A constant of the graph's precision, all of whose numbers are `value`. */
  filled(value: number, dims: readonly number[]): string;
  /** The number of rows, where it is fixed. */
  readonly batch: number | undefined;
  /** A shape as a vector of int64, the batch axis resolved. */
  shape(shape: Shape): string;
  /** ONNX's code of the graph's precision. */
  readonly floatType: number;
  /** The distance from 1 to the next number of the graph's precision. */
  readonly epsilon: number;
  /** The largest finite number of the graph's precision. */
  readonly largest: number;
}

/**
 * One operation: how its shape follows, what its gradient is, what ONNX it becomes.
 *
 * The incoming gradient `g` may be smaller than the output by broadcasting (a scalar for a sum, say), so elementwise
 * rules never pay for an expansion; an operation that needs the full shape sets `needsFullGradient`.
 * What a rule returns for an input is summed down to that input's shape by `grad`.
 */
export interface Operation<A extends Attributes = Attributes> {
  readonly name: string;
  readonly type?: "float" | "bool";
  /** True for elementwise rules: their results follow broadcasting and are summed back. */
  readonly broadcasts?: boolean;
  readonly needsFullGradient?: boolean;
  shape(inputs: readonly Tensor[], attributes: A): Shape;
  /**
   * The output's numbers from those of the inputs, row-major: only for operations that do no more than move numbers. What they
   * would do to constants in every run is then done once, when the graph is written.
   */
  move?(inputs: readonly Floats[], attributes: A, inputTensors: readonly Tensor[]): Floats;
  gradient?(g: Tensor, inputs: readonly Tensor[], output: Tensor, attributes: A): readonly (Tensor | null)[];
  emit(
    onnx: Emitter,
    inputs: readonly string[],
    attributes: A,
    inputTensors: readonly Tensor[],
    output: Tensor,
  ): string;
}
