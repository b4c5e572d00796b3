import { ElementType, resolveShape, type Shape } from "../graph/index.ts";
import {
  encodeModel,
  type GraphProto,
  type NodeProto,
  type OperatorSet,
  type TensorProto,
  type ValueInfoProto,
} from "./model.ts";
import { Names } from "./names.ts";

/**
 * The version of the ONNX operator set. All current runtimes read 18, which has every operator used here except Gelu; Gelu needs 20.
 */
const operatorSetOf = (nodes: readonly NodeProto[]): number =>
  nodes.some(({ opType }) => opType === "Gelu") ? 20 : 18;
const IR_VERSION = 9;

/** An input or an output of a file: a tensor whose axes have fixed sizes, or the size N. */
export interface FileValue {
  readonly name: string;
  readonly elementType: number;
  readonly shape: Shape;
}

/** What a file contains besides its graph. */
export interface FileDetails {
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  /** Says what the file computes. */
  readonly documentation?: string;
  readonly producerVersion?: string;
  /** Operator sets that the nodes use besides the default one. */
  readonly operatorSets?: readonly OperatorSet[];
}

/** An ONNX file that is being written. It can contain several graphs, which are computed one after another; all values have different names. */
export class OnnxFile {
  readonly names = new Names();
  readonly nodes: NodeProto[] = [];
  readonly initializers: TensorProto[] = [];
  /** Types of values that nodes compute. */
  readonly values: ValueInfoProto[] = [];
  /** The number of rows N if it is fixed. */
  readonly batch: number | undefined;
  private readonly inputs: ValueInfoProto[] = [];
  private readonly outputs: ValueInfoProto[] = [];
  /** By the names of outputs: the names of their values. */
  private readonly outputValues = new Map<string, string>();

  constructor({ batch }: { batch?: number | undefined } = {}) {
    this.batch = batch;
  }

  /** Declares an input, whose name must be claimed. */
  input(value: FileValue): void {
    this.inputs.push(this.valueInfo(value));
  }

  /** Declares an output, whose name must be claimed, and the value that it has. */
  output(output: FileValue, value: string): void {
    this.outputValues.set(output.name, value);
    this.outputs.push(this.valueInfo(output));
  }

  /** Declares an output that is an empty sequence. */
  emptySequence(name: string): void {
    this.nodes.push({ name, opType: "SequenceEmpty", inputs: [], outputs: [name], attributes: {} });
    this.outputs.push({ name, elementType: ElementType.FLOAT, shape: "sequence" });
  }

  valueInfo({ name, elementType, shape }: FileValue): ValueInfoProto {
    return { name, elementType, shape: this.batch === undefined ? shape : resolveShape(shape, this.batch) };
  }

  /** The bytes of the file. */
  encoded({ metadata = {}, operatorSets = [], ...producer }: FileDetails = {}): Uint8Array<ArrayBuffer> {
    const { initializers, inputs, outputs } = this;
    const { nodes, values } = this.withOutputNames();
    return encodeModel({
      irVersion: IR_VERSION,
      producerName: "pushforward",
      ...producer,
      operatorSets: [{ domain: "", version: operatorSetOf(nodes) }, ...operatorSets],
      metadata,
      graph: { name: "pushforward", nodes, initializers, inputs, outputs, values },
    });
  }

  /**
   * Renames the value of each output to the output's name. Inputs, and values of several outputs, are copied by an Identity instead.
   */
  private withOutputNames(): Pick<GraphProto, "nodes" | "values"> {
    const computed = new Set(this.nodes.flatMap(({ outputs }) => outputs));
    const names = new Map<string, string>();
    const copies: NodeProto[] = [];
    for (const [name, value] of this.outputValues) {
      if (computed.has(value) && !names.has(value)) names.set(value, name);
      else copies.push({ name, opType: "Identity", inputs: [value], outputs: [name], attributes: {} });
    }
    return {
      nodes: renameValues([...this.nodes, ...copies], names),
      values: this.values.filter(({ name }) => !names.has(name)),
    };
  }
}

/** Nodes whose values have new names, also in the graphs inside of nodes. */
const renameValues = (nodes: readonly NodeProto[], names: ReadonlyMap<string, string>): NodeProto[] => {
  const nameOf = (value: string) => names.get(value) ?? value;
  return nodes.map((node) => ({
    ...node,
    inputs: node.inputs.map(nameOf),
    outputs: node.outputs.map(nameOf),
    attributes: Object.fromEntries(
      Object.entries(node.attributes).map(([key, value]) => [
        key,
        typeof value === "object" && "nodes" in value
          ? { ...value, nodes: renameValues(value.nodes, names) }
          : value,
      ]),
    ),
  }));
};
