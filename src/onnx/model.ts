import type { OnnxAttribute } from "../graph/index.ts";
import { ProtobufMessage } from "./protobuf.ts";

// The messages of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto that our graphs need, with the field numbers from there.

const AttributeType = { FLOAT: 1, INT: 2, STRING: 3, GRAPH: 5, INTS: 7, STRINGS: 8 } as const;

export interface NodeProto {
  readonly name: string;
  readonly opType: string;
  /** The domain of the operator set that has the operator. Default `""`, the operators of ONNX. */
  readonly domain?: string | undefined;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, OnnxAttribute | GraphProto>>;
}

export interface TensorProto {
  readonly name: string;
  readonly dims: readonly number[];
  readonly elementType: number;
  readonly rawData: Uint8Array;
}

/** The name and the type of an input or an output: a tensor, whose symbolic dimensions are names, or a sequence of tensors. */
export interface ValueInfoProto {
  readonly name: string;
  readonly elementType: number;
  readonly shape: readonly (number | string)[] | "sequence";
}

export interface GraphProto {
  readonly name: string;
  readonly nodes: readonly NodeProto[];
  readonly initializers?: readonly TensorProto[];
  readonly inputs: readonly ValueInfoProto[];
  readonly outputs: readonly ValueInfoProto[];
  /** Types of values that nodes compute. */
  readonly values?: readonly ValueInfoProto[];
}

export interface OperatorSet {
  readonly domain: string;
  readonly version: number;
}

export interface ModelProto {
  readonly irVersion: number;
  readonly producerName: string;
  readonly producerVersion?: string | undefined;
  readonly documentation?: string | undefined;
  readonly operatorSets: readonly OperatorSet[];
  readonly metadata: Readonly<Record<string, string>>;
  readonly graph: GraphProto;
}

/** The bytes of an ONNX file. */
export function encodeModel(model: ModelProto): Uint8Array<ArrayBuffer> {
  const message = new ProtobufMessage().integer(1, model.irVersion).string(2, model.producerName);
  if (model.producerVersion !== undefined) message.string(3, model.producerVersion);
  if (model.documentation !== undefined) message.string(6, model.documentation);
  message.message(7, encodeGraph(model.graph));
  for (const { domain, version } of model.operatorSets)
    message.message(8, new ProtobufMessage().string(1, domain).integer(2, version));
  for (const [key, value] of Object.entries(model.metadata))
    message.message(14, new ProtobufMessage().string(1, key).string(2, value));
  return message.encoded();
}

function encodeGraph({
  name,
  nodes,
  initializers = [],
  inputs,
  outputs,
  values = [],
}: GraphProto): ProtobufMessage {
  const message = new ProtobufMessage();
  for (const node of nodes) message.message(1, encodeNode(node));
  message.string(2, name);
  for (const initializer of initializers) message.message(5, encodeTensor(initializer));
  [inputs, outputs, values].forEach((infos, i) => {
    for (const info of infos) message.message(11 + i, encodeValueInfo(info));
  });
  return message;
}

function encodeNode({ name, opType, domain, inputs, outputs, attributes }: NodeProto): ProtobufMessage {
  const message = new ProtobufMessage();
  for (const input of inputs) message.string(1, input);
  for (const output of outputs) message.string(2, output);
  message.string(3, name).string(4, opType);
  for (const [key, value] of Object.entries(attributes)) message.message(5, encodeAttribute(key, value));
  if (domain !== undefined) message.string(7, domain);
  return message;
}

function encodeAttribute(name: string, value: OnnxAttribute | GraphProto): ProtobufMessage {
  const message = new ProtobufMessage().string(1, name);
  if (typeof value === "number") return message.integer(3, value).integer(20, AttributeType.INT);
  if (typeof value === "string") return message.string(4, value).integer(20, AttributeType.STRING);
  if ("float" in value) return message.float(2, value.float).integer(20, AttributeType.FLOAT);
  if ("nodes" in value) return message.message(6, encodeGraph(value)).integer(20, AttributeType.GRAPH);
  if ("strings" in value) {
    for (const string of value.strings) message.string(9, string);
    return message.integer(20, AttributeType.STRINGS);
  }
  for (const integer of value) message.integer(8, integer);
  return message.integer(20, AttributeType.INTS);
}

function encodeTensor({ name, dims, elementType, rawData }: TensorProto): ProtobufMessage {
  const message = new ProtobufMessage();
  for (const size of dims) message.integer(1, size);
  return message.integer(2, elementType).string(8, name).bytes(9, rawData);
}

function encodeValueInfo({ name, elementType, shape }: ValueInfoProto): ProtobufMessage {
  const tensor = new ProtobufMessage().integer(1, elementType);
  const type = new ProtobufMessage();
  if (shape === "sequence") {
    type.message(4, new ProtobufMessage().message(1, new ProtobufMessage().message(1, tensor)));
  } else {
    const dimensions = new ProtobufMessage();
    for (const size of shape) {
      const dimension = new ProtobufMessage();
      dimensions.message(
        1,
        typeof size === "string" ? dimension.string(2, size) : dimension.integer(1, size),
      );
    }
    type.message(1, tensor.message(2, dimensions));
  }
  return new ProtobufMessage().string(1, name).message(2, type);
}
