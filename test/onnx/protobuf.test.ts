import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import {
  AttributeProtoSchema,
  ModelProtoSchema,
  NodeProtoSchema,
  TensorProtoSchema,
  ValueInfoProtoSchema,
} from "onnx-buf";
import { describe, expect, test } from "vitest";
import { buildBijection } from "../../src/bijections/index.ts";
import { buildGraph, grad, input } from "../../src/graph/index.ts";
import { exportOnnx } from "../../src/onnx/index.ts";
import { ProtobufMessage } from "../../src/onnx/protobuf.ts";
import { Random } from "../../src/random/index.ts";

// The reference is protobuf-es with the messages that onnx-buf generated from onnx.proto.

describe("a field has the bytes that protobuf-es writes", () => {
  const safeIntegers = fc.oneof(fc.maxSafeInteger(), fc.integer());

  test("of an int64", () => {
    fc.assert(
      fc.property(safeIntegers, (i) => {
        const expected = toBinary(AttributeProtoSchema, create(AttributeProtoSchema, { i: BigInt(i) }));
        expect(new ProtobufMessage().integer(3, i).encoded()).toEqual(expected);
      }),
    );
  });

  test("of a repeated int64", () => {
    fc.assert(
      fc.property(fc.array(safeIntegers), (dims) => {
        const message = new ProtobufMessage();
        for (const size of dims) message.integer(1, size);
        const expected = create(TensorProtoSchema, { dims: dims.map(BigInt) });
        expect(message.encoded()).toEqual(toBinary(TensorProtoSchema, expected));
      }),
    );
  });

  test("of a float", () => {
    fc.assert(
      fc.property(fc.float({ noNaN: true }), (f) => {
        const expected = toBinary(AttributeProtoSchema, create(AttributeProtoSchema, { f }));
        expect(new ProtobufMessage().float(2, f).encoded()).toEqual(expected);
      }),
    );
  });

  test("of a string", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 150 }), (name) => {
        const expected = toBinary(NodeProtoSchema, create(NodeProtoSchema, { name }));
        expect(new ProtobufMessage().string(3, name).encoded()).toEqual(expected);
      }),
    );
  });

  test("of bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 1000 }), (rawData) => {
        const expected = create(TensorProtoSchema, { rawData: Uint8Array.from(rawData) });
        expect(new ProtobufMessage().bytes(9, rawData).encoded()).toEqual(
          toBinary(TensorProtoSchema, expected),
        );
      }),
    );
  });

  test("of a message in a message", () => {
    fc.assert(
      fc.property(fc.nat(), (elemType) => {
        const tensorType = new ProtobufMessage().integer(1, elemType);
        const type = new ProtobufMessage().message(1, tensorType);
        const expected = create(ValueInfoProtoSchema, {
          type: { value: { case: "tensorType", value: { elemType } } },
        });
        expect(new ProtobufMessage().message(2, type).encoded()).toEqual(
          toBinary(ValueInfoProtoSchema, expected),
        );
      }),
    );
  });
});

/** Expects that a message and all messages in it have no field that their schemas do not declare. */
function expectAllFieldsKnown(value: unknown): void {
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return;
  expect(value).not.toHaveProperty("$unknown");
  Object.values(value).forEach(expectAllFieldsKnown);
}

// A Loop with a body, attributes of every type, embedded parameters, metadata, and an output that is a sequence.
describe.each(["float32", "float64"] as const)("a model in %s", (precision) => {
  test.each([
    { type: "planar", features: 2 },
    { type: "coupling", mask: [true, false], transform: { type: "rationalQuadraticSpline" } },
  ])("with the graph of $type is the same after it is read and written by protobuf-es", (description) => {
    const x = input("x", ["N", 2]);
    const { value, logDet } = buildBijection(description, new Random(1)).inverse(x);
    const graph = buildGraph([x], { value, logDet, gradient: grad(logDet.sum(), [x])[0] });
    const bytes = exportOnnx(graph, {
      precision,
      embedParameters: true,
      metadata: { name: "é", empty: "" },
      barrier: "sequence",
    });
    const model = fromBinary(ModelProtoSchema, bytes);
    expect(model.graph!.node.length).toBeGreaterThan(20);
    expectAllFieldsKnown(model);
    expect(toBinary(ModelProtoSchema, model)).toEqual(bytes);
  });
});
