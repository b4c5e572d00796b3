import { ElementType } from "../graph/operation.ts";
import { resolveShape, type Shape } from "../graph/shape.ts";
import {
  encodeModel,
  type NodeProto,
  type OperatorSet,
  type TensorProto,
  type ValueInfoProto,
} from "./model.ts";
import { Names } from "./names.ts";

/** The version of the ONNX operator set: 18 contains all operators used here, and all current runtimes can read it. */
export const OPERATOR_SET = 18;
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
  /** A text that says what the file computes. */
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

  constructor({ batch }: { batch?: number | undefined } = {}) {
    this.batch = batch;
  }

  /** Declares an input, whose name must be claimed. */
  input(value: FileValue): void {
    this.inputs.push(this.valueInfo(value));
  }

  /** Declares an output, whose name must be claimed, and the value that it has. */
  output(output: FileValue, value: string): void {
    // Two outputs, or an input and an output, may be the same value: the Identity gives each its name.
    this.nodes.push({
      name: output.name,
      opType: "Identity",
      inputs: [value],
      outputs: [output.name],
      attributes: {},
    });
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
    const { nodes, initializers, inputs, outputs, values } = this;
    return encodeModel({
      irVersion: IR_VERSION,
      producerName: "pushforward",
      ...producer,
      operatorSets: [{ domain: "", version: OPERATOR_SET }, ...operatorSets],
      metadata,
      graph: { name: "pushforward", nodes, initializers, inputs, outputs, values },
    });
  }
}
