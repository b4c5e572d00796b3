import type { Shape } from "./shape.ts";
import type { Tensor } from "./tensor.ts";

/** Arguments of a node other than tensors. They are compared as JSON, so different attributes must have different JSON. */
export type Attributes = Readonly<Record<string, unknown>>;

/** An array of numbers, in float32 or float64. */
export type Floats = Float32Array | Float64Array;

/** An attribute of an ONNX node. A number is an integer there; `{ float }` is a float and `{ strings }` a list of strings. */
export type OnnxAttribute =
  | number
  | readonly number[]
  | string
  | { readonly float: number }
  | { readonly strings: readonly string[] };

/** The numbers by which ONNX files denote element types (`TensorProto.DataType`). */
export const ElementType = { FLOAT: 1, INT64: 7, STRING: 8, BOOL: 9, DOUBLE: 11 } as const;

/** The operators of ONNX Runtime for images whose channels are in blocks (`operations/channelBlocks.ts`). */
export const CHANNEL_BLOCKS_DOMAIN = "com.microsoft.nchwc";

/** One iteration of a loop, traced: placeholders for the current state, and the tensors computed from them. */
export interface LoopBody {
  readonly state: readonly Tensor[];
  readonly next: readonly Tensor[];
  /** A boolean scalar: whether there is another iteration. */
  readonly proceed: Tensor;
}

/** Writes ONNX nodes. The strings that its methods take and return are names of ONNX values. */
export interface Emitter {
  /**
   * Adds a node and returns the name of its first output. Output i, counted from 0, is named by this string and `.i`. `domain` is the domain of
   * the operator, by default that of ONNX, and `outputs` the number of outputs, by default 1.
   */
  node(
    type: string,
    inputs: readonly string[],
    attributes?: Record<string, OnnxAttribute>,
    outputs?: number,
    domain?: string,
  ): string;
  /** True if the file is for a build of ONNX Runtime that has convolutions of images in blocks of channels (`operations/channelBlocks.ts`). */
  readonly hasChannelBlocks: boolean;
  /** An ONNX Loop whose body also reads the values in `captured`. Its i-th result is named by the returned string and `.i`. */
  loop(
    body: LoopBody,
    initial: readonly string[],
    captured: ReadonlyMap<Tensor, string>,
    maxIterations: number,
  ): string;
  /** A scalar of the graph's precision. */
  scalar(value: number): string;
  /** A vector of int64. */
  integers(values: readonly number[]): string;
  /** A constant of the graph's precision in which every element is `value`. */
  filled(value: number, dims: readonly number[]): string;
  /** The number of rows N if it is fixed. */
  readonly batch: number | undefined;
  /** A shape as a vector of int64, with the number of rows in place of N. */
  shape(shape: Shape): string;
  /** The ONNX element type of the graph's precision. */
  readonly floatType: number;
  /** The distance from 1 to the next number of the graph's precision. */
  readonly epsilon: number;
  /** The largest finite number of the graph's precision. */
  readonly largest: number;
}

/** Which factors of a matrix product are transposed. */
export type Transposes = { readonly transposeA: boolean; readonly transposeB: boolean };

/** Positions start, start + 1, ..., end - 1 of an axis. */
export interface AxisRange {
  readonly axis: number;
  readonly start: number;
  readonly end: number;
}

/**
 * An operation: its shape, its gradient, its ONNX nodes, and the properties that the compiler passes need. Passes ask for these
 * properties and not for names, so a new operation is one object of this type.
 *
 * The gradient `g` of an output may be smaller than the output and broadcast to it: the gradient of a sum is a scalar and stays
 * one. Elementwise rules work on it as it is; other operations set `needsFullGradient`.
 */
export interface Operation<A extends Attributes = Attributes> {
  readonly name: string;
  /** The type of the output; `sameAsInput` is the type of the first input. Default `float`. */
  readonly type?: "float" | "bool" | "sameAsInput";
  /**
   * The types of the inputs; the last one is also that of all further inputs. `sameAsFirst` is the type of the first input, whichever it
   * is. Default: `sameAsFirst` for all if `type` is `sameAsInput`, otherwise `float`.
   */
  readonly inputTypes?: readonly ("float" | "bool" | "sameAsFirst" | "any")[];
  /** The shape of the output. Throws `SHAPE` if the shapes of the inputs do not match. */
  shape(inputs: readonly Tensor[], attributes: A): Shape;
  /** Writes the operation as ONNX nodes and returns the name of the output. */
  emit(
    onnx: Emitter,
    inputs: readonly string[],
    attributes: A,
    inputTensors: readonly Tensor[],
    output: Tensor,
  ): string;

  /** The gradient with respect to each input, null where it is 0. Without this function it is 0 for all inputs. */
  gradient?(g: Tensor, inputs: readonly Tensor[], output: Tensor, attributes: A): readonly (Tensor | null)[];
  readonly needsFullGradient?: boolean;
  /**
   * Which axes of the inputs are broadcast: all axes, as in elementwise operations, or the axes before the last two, as in `matmul`.
   * The gradients are then summed down to the shapes of the inputs.
   */
  readonly broadcasts?: "elementwise" | "leadingAxes";

  /** Computes the result for scalar inputs. Constant folding uses it. */
  evaluate?(...inputs: number[]): number;
  /**
   * Computes the same values by other operations. `buildGraph` replaces this operation by them, except with `fixedParameters` if all inputs after
   * the first depend only on parameters and constants: then `expandFixed` applies. `channelBlocks` says whether it may use convolutions of channels in
   * blocks (see `GraphOptions`).
   */
  expand?(inputs: readonly Tensor[], attributes: A, channelBlocks: boolean): Tensor;
  /**
   * With `fixedParameters`, if all inputs after the first depend only on parameters and constants, computes the same values by another operation
   * that is faster with constant weights. Without it, or if it returns undefined, this operation stays.
   */
  expandFixed?(inputs: readonly Tensor[], attributes: A): Tensor | undefined;
  /** A cheaper tensor of the same values, or undefined if there is none. */
  simplify?(node: Tensor): Tensor | undefined;
  /** True if f(x) + f(y) = f(x + y) for equal attributes, and one call is cheaper than two. */
  readonly additive?: boolean;
  /**
   * True if the shape is computed when the graph runs, so that ONNX Runtime cannot infer it. The file declares it then, outside of loops.
   * Values of unknown shape do not reuse memory, and a session with thousands of them takes minutes to create.
   */
  readonly hasComputedShape?: boolean;
  /**
   * True if it is written as ONNX's Conv with constant weights, which the optimizations of ONNX Runtime rearrange. They also fuse it with a Relu
   * that follows.
   */
  readonly isConvolution?: boolean;
  /** True for an elementwise f with f(1) = 1. */
  readonly fixesOne?: boolean;
  /** Set if the output is the product of the matrices in inputs 0 and 1, plus input 2 if there is one. */
  readonly product?: {
    transposes(attributes: A): Transposes;
    /** True if the order of the factors was chosen for speed: passes then do not compute the transpose, (A B)^T = B^T A^T. */
    readonly fixedOrder?: boolean;
  };
  /** Set if the output is a slice of the input. */
  range?(attributes: A): AxisRange;
  /** For an operation that selects or joins positions along `attributes.axis`: applies it along `axis` instead. */
  alongAxis?(inputs: readonly Tensor[], axis: number, attributes: A): Tensor;
  /**
   * For an operation that only moves numbers: returns the numbers of the output, row-major. The exporter applies it to constants,
   * so that they are not moved again in each run.
   */
  moveData?(inputs: readonly Floats[], attributes: A, inputTensors: readonly Tensor[]): Floats;
}
