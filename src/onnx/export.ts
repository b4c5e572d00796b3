import { PushforwardError } from "../errors.ts";
import { ancestors } from "../graph/grad.ts";
import type { Graph } from "../graph/graph.ts";
import type { Emitter, Floats, LoopBody, OnnxAttribute } from "../graph/operation.ts";
import { resolveShape, type Shape } from "../graph/shape.ts";
import type { Tensor } from "../graph/tensor.ts";
import { cutsOf } from "./cuts.ts";
import { ElementType, encodeModel, type NodeProto, type TensorProto, type ValueInfoProto } from "./model.ts";

export type Precision = "float32" | "float64";

export interface ExportOptions {
  /** Default `float32`. */
  precision?: Precision;
  /** Fixes the batch axis N, which lets the runtime plan memory; symbolic if absent. */
  batch?: number;
  /** Writes the parameters' numbers into the file; otherwise they are inputs. Default false. */
  embedParameters?: boolean;
  /** Strings for the file's metadata. */
  metadata?: Readonly<Record<string, string>>;
  /** Name of an empty sequence to put before the outputs; none if absent. */
  barrier?: string;
}

/** ONNX operator set: 18 has every operation here and is read by all current runtimes. */
const OPERATOR_SET = 18;
const IR_VERSION = 9;

/** Writes a graph as the bytes of an ONNX file. */
export function exportOnnx(graph: Graph, options: ExportOptions = {}): Uint8Array<ArrayBuffer> {
  const writer = new OnnxWriter(options);
  return writer.write(graph);
}

/** Numbers of a tensor that are known when the graph is written. */
interface Numbers {
  readonly name: string;
  readonly floats: Floats;
}

class OnnxWriter implements Emitter {
  readonly floatType: number;
  readonly largest: number;
  readonly epsilon: number;
  private readonly precision: Precision;
  readonly batch: number | undefined;
  private readonly embed: boolean;
  private readonly metadata: Readonly<Record<string, string>>;
  private readonly barrier: string | undefined;
  /** Those of the graph that is being written: the whole, or the body of a loop. */
  private nodes: NodeProto[] = [];
  private readonly initializers: TensorProto[] = [];
  private shared = new Map<string, string>();
  /** Parameters to be embedded, constants and what is only moved from these, written when a node reads them. */
  private readonly numbers = new Map<Tensor, Numbers>();
  private readonly names = new Map<string, number>();
  private batchReference: { name: string } | undefined;
  private scope = "";

  constructor(options: ExportOptions) {
    const { precision = "float32", batch, embedParameters = false, metadata = {}, barrier } = options;
    this.precision = precision;
    this.batch = batch;
    this.embed = embedParameters;
    this.metadata = metadata;
    this.barrier = barrier;
    this.floatType = precision === "float64" ? ElementType.DOUBLE : ElementType.FLOAT;
    this.epsilon = precision === "float64" ? 2 ** -52 : 2 ** -23;
    this.largest = precision === "float64" ? Number.MAX_VALUE : 3.4028234663852886e38;
  }

  write(graph: Graph): Uint8Array<ArrayBuffer> {
    const values = new Map<Tensor, string>();
    const inputs: ValueInfoProto[] = [];
    // Names that callers use are kept as they are; those of nodes give way.
    for (const { name } of [...graph.inputs, ...graph.parameters, ...graph.outputs]) this.claim(name);
    if (this.barrier !== undefined) this.claim(this.barrier);
    for (const { name, tensor } of graph.inputs) {
      values.set(tensor, name);
      inputs.push(this.valueInfo(name, tensor.shape));
      if (tensor.shape[0] === "N") this.batchReference ??= { name };
    }
    for (const { name, tensor } of graph.parameters) {
      if (this.embed) this.numbers.set(tensor, { name, floats: tensor.numbers });
      else {
        values.set(tensor, name);
        inputs.push(this.valueInfo(name, tensor.shape));
      }
    }
    const cuts = cutsOf(graph.nodes);
    for (const node of graph.nodes) {
      if (values.has(node) || this.numbers.has(node)) continue;
      this.scope = node.scope;
      const numbers = this.numbersOf(node);
      const cut = cuts.get(node);
      if (numbers) this.numbers.set(node, numbers);
      else if (cut) this.cut(cut, values);
      else values.set(node, this.emit(node, values));
    }
    this.scope = "";
    const outputs = graph.outputs.map(({ name, tensor }) => {
      // An output may be an input, or appear twice: a node of its own gives it its name.
      this.push("Identity", [this.valueOf(tensor, values)], [name]);
      return this.valueInfo(name, tensor.shape, tensor.type);
    });
    if (this.barrier !== undefined) outputs.unshift(this.emptySequence(this.barrier));
    return encodeModel({
      irVersion: IR_VERSION,
      producerName: "pushforward",
      operatorSet: OPERATOR_SET,
      metadata: this.metadata,
      graph: { name: "pushforward", nodes: this.nodes, initializers: this.initializers, inputs, outputs },
    });
  }

  private emit(node: Tensor, values: Map<Tensor, string>): string {
    if (node.operation.name === "constant") {
      const numbers = this.numbersOf(node);
      return numbers ? this.initializer(node, numbers) : this.scalar((node.attributes.values as number[])[0]);
    }
    const inputs = node.inputs.map((parent) => this.valueOf(parent, values));
    return node.operation.emit(this, inputs, node.attributes, node.inputs, node);
  }

  /** Slices that make up a tensor, as one node. */
  private cut(slices: readonly Tensor[], values: Map<Tensor, string>): void {
    const [{ inputs, attributes }] = slices;
    const axis = attributes.axis as number;
    const sizes = this.integers(slices.map(({ shape }) => shape[axis] as number));
    const outputs = slices.map((slice) => {
      const name = this.unique(this.prefixed("split"));
      values.set(slice, name);
      return name;
    });
    this.push("Split", [this.valueOf(inputs[0], values), sizes], outputs, { axis });
  }

  /** The name of a value; known numbers are written when the first node asks for them. */
  private valueOf(tensor: Tensor, values: Map<Tensor, string>): string {
    const written = values.get(tensor);
    if (written !== undefined) return written;
    const name = this.initializer(tensor, this.numbers.get(tensor)!);
    values.set(tensor, name);
    return name;
  }

  private initializer({ shape }: Tensor, { name, floats }: Numbers): string {
    this.initializers.push(this.floats(name, shape as number[], floats));
    return name;
  }

  /** A constant's numbers, or what a node gives that only moves known ones: moved here, they cost nothing at a run. */
  private numbersOf({ operation, inputs, attributes, rank }: Tensor): Numbers | undefined {
    if (operation.name === "constant" && rank > 0) {
      const floats = Float64Array.from(attributes.values as number[]);
      return { name: this.unique(this.prefixed("constant")), floats };
    }
    if (!operation.move) return undefined;
    const floats: Floats[] = [];
    for (const parent of inputs) {
      const known = this.numbers.get(parent);
      if (!known) return undefined;
      floats.push(known.floats);
    }
    const name = this.unique(this.prefixed(operation.name));
    return { name, floats: operation.move(floats, attributes, inputs) };
  }

  node(type: string, inputs: readonly string[], attributes: Record<string, OnnxAttribute> = {}): string {
    // What several operations write alike, such as a scalar in another shape, is computed once.
    const key = `node ${type} ${inputs.join(" ")} ${JSON.stringify(attributes)}`;
    const known = this.shared.get(key);
    if (known) return known;
    const output = this.unique(this.prefixed(type.toLowerCase()));
    this.shared.set(key, output);
    this.push(type, inputs, [output], attributes);
    return output;
  }

  /** Writes a node, named as its first output. */
  private push(
    type: string,
    inputs: readonly string[],
    outputs: readonly string[],
    attributes: Readonly<Record<string, OnnxAttribute>> = {},
  ): void {
    this.nodes.push({ name: outputs[0], opType: type, inputs, outputs, attributes });
  }

  loop(
    { state, next, proceed }: LoopBody,
    initial: readonly string[],
    captured: ReadonlyMap<Tensor, string>,
    most: number,
  ): string {
    const loop = this.unique(this.prefixed("loop"));
    const count = this.integers([most]);
    const outer = { nodes: this.nodes, shared: this.shared, scope: this.scope };
    this.nodes = [];
    // A body sees what was written before it, and nothing outside sees what is written in it.
    this.shared = new Map(outer.shared);
    const values = new Map(captured);
    const inputs = state.map((tensor) => {
      const name = this.unique(this.prefixed("state"));
      values.set(tensor, name);
      return this.valueInfo(name, tensor.shape);
    });
    for (const node of ancestors([...next, proceed], captured)) {
      if (values.has(node)) continue;
      this.scope = node.scope;
      values.set(node, this.emit(node, values));
    }
    this.scope = outer.scope;
    const outputs = [proceed, ...next].map((tensor) => {
      const name = this.unique(this.prefixed("next"));
      this.push("Identity", [values.get(tensor)!], [name]);
      return this.valueInfo(name, tensor.shape, tensor.type);
    });
    const turn = this.unique(this.prefixed("turn"));
    const running = this.unique(this.prefixed("running"));
    const body = {
      name: `${loop}/body`,
      nodes: this.nodes,
      inputs: [
        { name: turn, elementType: ElementType.INT64, shape: [] },
        { name: running, elementType: ElementType.BOOL, shape: [] },
        ...inputs,
      ],
      outputs,
    };
    this.nodes = outer.nodes;
    this.shared = outer.shared;
    this.nodes.push({
      name: loop,
      opType: "Loop",
      inputs: [count, "", ...initial],
      outputs: state.map((_, i) => `${loop}.${i}`),
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
    const around = [shape.slice(0, axis), shape.slice(axis + 1)];
    const [before, after] = around.map((part) => (part.length > 0 ? [this.integers(part as number[])] : []));
    const parts = [...before, this.rows(), ...after];
    return parts.length === 1 ? parts[0] : this.node("Concat", parts, { axis: 0 });
  }

  /** The symbolic number of rows, read off the first batched input. */
  private rows(): string {
    if (!this.batchReference) {
      throw new PushforwardError("ARGUMENT", "a graph without batched inputs has no number of rows N", {
        hint: "Give it an input of shape [N, ...], or fix the batch.",
      });
    }
    const { name } = this.batchReference;
    const known = this.shared.get("rows");
    if (known) return known;
    const rows = this.node("Shape", [name], { start: 0, end: 1 });
    this.shared.set("rows", rows);
    return rows;
  }

  private once(key: string, label: string, build: (name: string) => TensorProto): string {
    const known = this.shared.get(key);
    if (known) return known;
    const name = this.unique(label);
    this.initializers.push(build(name));
    this.shared.set(key, name);
    return name;
  }

  private floats(name: string, dims: readonly number[], values: ArrayLike<number>): TensorProto {
    const data = this.precision === "float64" ? new Float64Array(values) : new Float32Array(values);
    return { name, dims, elementType: this.floatType, rawData: new Uint8Array(data.buffer) };
  }

  private valueInfo(name: string, shape: Shape, type: "float" | "bool" = "float"): ValueInfoProto {
    return {
      name,
      elementType: type === "bool" ? ElementType.BOOL : this.floatType,
      shape: this.batch === undefined ? shape : resolveShape(shape, this.batch),
    };
  }

  private emptySequence(name: string): ValueInfoProto {
    this.push("SequenceEmpty", [], [name]);
    return { name, elementType: ElementType.FLOAT, shape: "sequence" };
  }

  private prefixed(label: string): string {
    return this.scope ? `${this.scope}/${label}` : label;
  }

  private claim(name: string): void {
    if (this.names.has(name)) {
      throw new PushforwardError(
        "ARGUMENT",
        `the name ${name} stands for two inputs, parameters or outputs`,
        {
          hint: "Give each its own name.",
        },
      );
    }
    this.names.set(name, 1);
  }

  private unique(wanted: string): string {
    const used = this.names.get(wanted);
    this.names.set(wanted, (used ?? 0) + 1);
    return used === undefined ? wanted : this.unique(`${wanted}_${used}`);
  }
}
