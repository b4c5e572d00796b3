import {
  anyValue,
  checkOptions,
  integerFrom,
  type OptionRules,
  oneOf,
  PushforwardError,
  text,
  trueOrFalse,
} from "../check/index.ts";
import {
  ancestors,
  CHANNEL_BLOCKS_DOMAIN,
  constantValues,
  ElementType,
  type Emitter,
  type Floats,
  type Graph,
  type LoopBody,
  type OnnxAttribute,
  resolveShape,
  type Shape,
  scalarValue,
  type Tensor,
} from "../graph/index.ts";
import { OnnxFile } from "./file.ts";
import type { NodeProto, TensorProto, ValueInfoProto } from "./model.ts";
import { claimNames, type Names } from "./names.ts";
import { splitsOf } from "./splits.ts";

/** The floating-point type that a graph computes in. */
export type Precision = "float32" | "float64";

/** Options of `exportOnnx`. */
export interface ExportOptions {
  /** Default `float32`. */
  precision?: Precision;
  /** Fixes the number of rows N, which lets the runtime plan its memory. By default N is symbolic. */
  batch?: number;
  /** Writes the numbers of the parameters into the file. Default false: they are inputs. */
  embedParameters?: boolean;
  /** Metadata of the file. Default none. */
  metadata?: Readonly<Record<string, string>>;
  /**
   * Writes an output of this name before all others: an empty sequence, at which onnxruntime-node stops copying outputs
   * (`runtime/runInto.js`). Default none.
   */
  barrier?: string;
  /**
   * True to use internal operators of onnxruntime-node, which other runtimes do not have, if the graph was built with `channelBlocks` and the
   * number of rows is fixed. Default false.
   */
  channelBlocks?: boolean;
}

const exportRules: OptionRules<ExportOptions> = {
  precision: oneOf("float32", "float64"),
  batch: integerFrom(0),
  embedParameters: trueOrFalse,
  metadata: anyValue,
  barrier: text,
  channelBlocks: trueOrFalse,
};

/** The ONNX element type of a precision. */
export const floatType = (precision: Precision): number =>
  precision === "float64" ? ElementType.DOUBLE : ElementType.FLOAT;

interface WriteOptions {
  /** True if parameters are written as constants, false if they are inputs of the file with their own names. Default true. */
  readonly embedParameters?: boolean;
  /** The ONNX value of each input, by the input's name. Default: the value of this name. */
  readonly inputs?: ReadonlyMap<string, string>;
}

/**
 * Writes a graph as the bytes of an ONNX file. Throws `ARGUMENT` if two inputs, parameters or outputs have the same name, or if
 * the graph needs a symbolic number of rows and has no input [N, ...].
 */
export function exportOnnx(graph: Graph, options: ExportOptions = {}): Uint8Array<ArrayBuffer> {
  checkOptions("exportOnnx", options, exportRules);
  const { precision = "float32", batch, embedParameters = false, metadata, barrier } = options;
  const hasChannelBlocks = options.channelBlocks === true && batch !== undefined;
  const file = new OnnxFile({ batch });
  const type = floatType(precision);
  claimNames(file.names, graph, { embedParameters });
  if (barrier !== undefined) file.names.claim(barrier);
  const parameters = embedParameters ? [] : graph.parameters;
  for (const { name, tensor } of [...graph.inputs, ...parameters])
    file.input({ name, elementType: type, shape: tensor.shape });
  const writer = new GraphWriter(file, precision, hasChannelBlocks);
  const values = writer.write(graph, { embedParameters });
  if (barrier !== undefined) file.emptySequence(barrier);
  for (const { name, tensor } of graph.outputs)
    file.output({ name, elementType: elementTypeOf(tensor, type), shape: tensor.shape }, values.get(name)!);
  return file.encoded({
    metadata,
    operatorSets: hasChannelBlocks ? [{ domain: CHANNEL_BLOCKS_DOMAIN, version: 1 }] : [],
  });
}

const elementTypeOf = ({ type }: Tensor, float: number): number =>
  type === "bool" ? ElementType.BOOL : float;

/** A constant tensor before it is written. */
interface Constant {
  readonly name: string;
  readonly floats: Floats;
}

/** Writes the nodes of graphs into a file. */
export class GraphWriter implements Emitter {
  readonly floatType: number;
  readonly largest: number;
  readonly epsilon: number;
  readonly batch: number | undefined;
  readonly hasChannelBlocks: boolean;
  private readonly file: OnnxFile;
  private readonly precision: Precision;
  private readonly names: Names;
  /** Nodes of the graph that is being written: the main graph, or the body of a loop. */
  private nodes: NodeProto[];
  /** Names of values that nodes can share. The key describes the computation. */
  private shared = new Map<string, string>();
  /** Embedded parameters, constants, and tensors that only move numbers of these. Each is written when the first node reads it. */
  private readonly constants = new Map<Tensor, Constant>();
  /** The value of the first input with a batch axis. */
  private batchedInput: string | undefined;
  private scope = "";

  constructor(file: OnnxFile, precision: Precision, hasChannelBlocks = false) {
    this.file = file;
    this.names = file.names;
    this.nodes = file.nodes;
    this.batch = file.batch;
    this.precision = precision;
    this.hasChannelBlocks = hasChannelBlocks;
    this.floatType = floatType(precision);
    this.epsilon = precision === "float64" ? 2 ** -52 : 2 ** -23;
    this.largest = precision === "float64" ? Number.MAX_VALUE : 3.4028234663852886e38;
  }

  /** Writes the nodes of a graph and returns the values of its outputs by their names. */
  write(
    graph: Graph,
    { embedParameters = true, inputs = new Map<string, string>() }: WriteOptions = {},
  ): Map<string, string> {
    const values = new Map<Tensor, string>();
    for (const { name, tensor } of graph.inputs) {
      const value = inputs.get(name) ?? name;
      values.set(tensor, value);
      if (tensor.shape[0] === "N") this.batchedInput ??= value;
    }
    for (const { name, tensor } of graph.parameters) {
      // A column of a table, which is an input, may have the name of a parameter.
      if (embedParameters)
        this.constants.set(tensor, { name: this.names.unique(name), floats: tensor.numbers });
      else values.set(tensor, name);
    }
    const splits = splitsOf(graph.nodes);
    for (const node of graph.nodes) {
      if (values.has(node) || this.constants.has(node)) continue;
      this.scope = node.scope;
      const constant = this.constantOf(node) ?? this.movedConstant(node);
      const slices = splits.get(node);
      if (constant) this.constants.set(node, constant);
      else if (slices) this.split(slices, values);
      else {
        const value = this.emit(node, values);
        values.set(node, value);
        if (node.operation.hasComputedShape) this.file.values.push(this.valueInfo(value, node));
      }
    }
    this.scope = "";
    return new Map(graph.outputs.map(({ name, tensor }) => [name, this.valueOf(tensor, values)]));
  }

  private emit(node: Tensor, values: Map<Tensor, string>): string {
    const scalar = scalarValue(node);
    if (scalar !== undefined) return this.scalar(scalar);
    const inputs = node.inputs.map((parent) => this.valueOf(parent, values));
    return node.operation.emit(this, inputs, node.attributes, node.inputs, node);
  }

  /** Writes slices that together are a whole tensor as one node. */
  private split(slices: readonly Tensor[], values: Map<Tensor, string>): void {
    const [{ operation, inputs, attributes }] = slices;
    const { axis } = operation.range!(attributes);
    const sizes = this.integers(slices.map(({ shape }) => shape[axis] as number));
    const outputs = slices.map((slice) => {
      const name = this.unique("split");
      values.set(slice, name);
      return name;
    });
    this.push("Split", [this.valueOf(inputs[0], values), sizes], outputs, { axis });
  }

  /** The name of a value. A constant is written if this is the first node that reads it. */
  private valueOf(tensor: Tensor, values: Map<Tensor, string>): string {
    const written = values.get(tensor);
    if (written !== undefined) return written;
    const name = this.initializer(tensor, this.constants.get(tensor)!);
    values.set(tensor, name);
    return name;
  }

  private initializer({ shape }: Tensor, { name, floats }: Constant): string {
    this.file.initializers.push(this.floats(name, shape as number[], floats));
    return name;
  }

  /** The node, if it is a constant other than a scalar. */
  private constantOf(node: Tensor): Constant | undefined {
    const values = node.rank > 0 ? constantValues(node) : undefined;
    return values && { name: this.unique("constant"), floats: Float64Array.from(values) };
  }

  /** If a node only moves numbers of constants, moves them now and returns the result as a constant, so that they are not moved again in each run. */
  private movedConstant({ operation, inputs, attributes }: Tensor): Constant | undefined {
    if (!operation.moveData) return undefined;
    const sources: Floats[] = [];
    for (const parent of inputs) {
      const constant = this.constants.get(parent);
      if (!constant) return undefined;
      sources.push(constant.floats);
    }
    const name = this.unique(operation.name);
    return { name, floats: operation.moveData(sources, attributes, inputs) };
  }

  node(
    type: string,
    inputs: readonly string[],
    attributes: Record<string, OnnxAttribute> = {},
    outputs = 1,
    domain?: string,
  ): string {
    // Several operations may write equal nodes, such as the reshape of a scalar: they are computed once.
    const key = JSON.stringify([type, inputs, attributes, outputs, domain]);
    const equal = this.shared.get(key);
    if (equal) return equal;
    const suffixes = Array.from({ length: outputs - 1 }, (_, i) => `.${i + 1}`);
    const output = this.unique(type.toLowerCase(), suffixes);
    const further = suffixes.map((suffix) => output + suffix);
    this.shared.set(key, output);
    this.push(type, inputs, [output, ...further], attributes, domain);
    return output;
  }

  private push(
    type: string,
    inputs: readonly string[],
    outputs: readonly string[],
    attributes: Readonly<Record<string, OnnxAttribute>> = {},
    domain?: string,
  ): void {
    this.nodes.push({ name: outputs[0], opType: type, inputs, outputs, attributes, domain });
  }

  loop(
    { state, next, proceed }: LoopBody,
    initial: readonly string[],
    captured: ReadonlyMap<Tensor, string>,
    maxIterations: number,
  ): string {
    const suffixes = state.map((_, i) => `.${i}`);
    const loop = this.unique("loop", suffixes);
    const limit = this.integers([maxIterations]);
    const outer = { nodes: this.nodes, shared: this.shared, scope: this.scope };
    this.nodes = [];
    // The body can read values written before it, but the outer graph cannot read values of the body.
    this.shared = new Map(outer.shared);
    const values = new Map(captured);
    const inputs = state.map((tensor) => {
      const name = this.unique("state");
      values.set(tensor, name);
      return this.valueInfo(name, tensor);
    });
    for (const node of ancestors([...next, proceed], captured)) {
      if (values.has(node)) continue;
      this.scope = node.scope;
      values.set(node, this.emit(node, values));
    }
    this.scope = outer.scope;
    const outputs = [proceed, ...next].map((tensor) => {
      const name = this.unique("next");
      this.push("Identity", [values.get(tensor)!], [name]);
      return this.valueInfo(name, tensor);
    });
    const iteration = this.unique("iteration");
    const condition = this.unique("running");
    const body = {
      name: `${loop}/body`,
      nodes: this.nodes,
      inputs: [
        { name: iteration, elementType: ElementType.INT64, shape: [] },
        { name: condition, elementType: ElementType.BOOL, shape: [] },
        ...inputs,
      ],
      outputs,
    };
    this.nodes = outer.nodes;
    this.shared = outer.shared;
    this.nodes.push({
      name: loop,
      opType: "Loop",
      inputs: [limit, "", ...initial],
      outputs: suffixes.map((suffix) => loop + suffix),
      attributes: { body },
    });
    return loop;
  }

  scalar(value: number): string {
    return this.once(`scalar ${Object.is(value, -0) ? "-0" : value}`, "scalar", (name) =>
      this.floats(name, [], [value]),
    );
  }

  filled(value: number, dims: readonly number[]): string {
    const size = dims.reduce((a, b) => a * b, 1);
    return this.once(`filled ${value} ${dims.join(" ")}`, "filled", (name) =>
      this.floats(name, dims, new Float64Array(size).fill(value)),
    );
  }

  integers(values: readonly number[]): string {
    return this.once(`integers ${values.join(" ")}`, "integers", (name) => ({
      name,
      dims: [values.length],
      elementType: ElementType.INT64,
      rawData: new Uint8Array(BigInt64Array.from(values, BigInt).buffer),
    }));
  }

  shape(shape: Shape): string {
    const axis = shape.indexOf("N");
    if (axis < 0) return this.integers(shape as number[]);
    if (this.batch !== undefined) return this.integers(resolveShape(shape, this.batch));
    const otherAxes = [shape.slice(0, axis), shape.slice(axis + 1)];
    const [before, after] = otherAxes.map((sizes) =>
      sizes.length > 0 ? [this.integers(sizes as number[])] : [],
    );
    const parts = [...before, this.rows(), ...after];
    return parts.length === 1 ? parts[0] : this.node("Concat", parts, { axis: 0 });
  }

  /** The number of rows when the graph runs, from the shape of the first input with a batch axis. */
  private rows(): string {
    if (this.batchedInput === undefined) {
      throw new PushforwardError("ARGUMENT", "the graph needs the number of rows N, but no input has it", {
        hint: "Add an input of shape [N, ...], or set `batch`.",
      });
    }
    return this.node("Shape", [this.batchedInput], { start: 0, end: 1 });
  }

  /** Writes an initializer if there is none with this key yet. Returns its name. */
  private once(key: string, label: string, build: (name: string) => TensorProto): string {
    const written = this.shared.get(key);
    if (written) return written;
    const name = this.names.unique(label);
    this.file.initializers.push(build(name));
    this.shared.set(key, name);
    return name;
  }

  private floats(name: string, dims: readonly number[], values: ArrayLike<number>): TensorProto {
    const data = this.precision === "float64" ? new Float64Array(values) : new Float32Array(values);
    return { name, dims, elementType: this.floatType, rawData: new Uint8Array(data.buffer) };
  }

  private valueInfo(name: string, tensor: Tensor): ValueInfoProto {
    const elementType = elementTypeOf(tensor, this.floatType);
    return this.file.valueInfo({ name, elementType, shape: tensor.shape });
  }

  /** A new name, after the scope of the node that is being written. */
  private unique(label: string, suffixes?: readonly string[]): string {
    return this.names.unique(this.scope ? `${this.scope}/${label}` : label, suffixes);
  }
}
