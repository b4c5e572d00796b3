import { fromBinary } from "@bufbuild/protobuf";
import { type GraphProto, ModelProtoSchema } from "onnx-buf";
import { describe, expect, test } from "vitest";
import { maf } from "../../src/flows/index.ts";
import { grad } from "../../src/graph/grad.ts";
import { Parameter } from "../../src/graph/parameter.ts";
import { loadEngine } from "../../src/runtime/engine.ts";
import { compile } from "../../src/runtime/index.ts";

const graphOf = (bytes: Uint8Array): GraphProto => fromBinary(ModelProtoSchema, bytes).graph!;
const names = (values: readonly { readonly name: string }[]) => values.map(({ name }) => name);

describe("the ONNX file of a compiled function", () => {
  const flow = maf(2, { context: 1, transforms: 1, hidden: [4] });
  const compiled = compile(
    (x, context) => {
      const logProb = flow.logProb(x, context);
      return { logProb, score: grad(logProb.sum(), [x])[0] };
    },
    { x: ["N", 2], context: ["N", 1] },
    { precision: "float64" },
  );

  test("has only the inputs and outputs of the caller, with their names", async () => {
    const { input, output, node } = graphOf(compiled.bytes());
    expect([names(input), names(output)]).toEqual([
      ["x", "context"],
      ["logProb", "score"],
    ]);
    expect(node.some(({ opType }) => opType === "SequenceEmpty")).toBe(false);
    // The same after a call, which makes a session of its own.
    await compiled([1, 2], [3]);
    const after = graphOf(compiled.bytes());
    expect([names(after.input), names(after.output)]).toEqual([names(input), names(output)]);
    await compiled.release();
  });

  test("computes the same in another session, with the current values of the parameters", async () => {
    const weight = new Parameter([1], [3]);
    const scaled = compile((x) => x.mul(weight), { x: ["N", 1] });
    weight.value[0] = 5;
    const { InferenceSession, Tensor } = await loadEngine({});
    const session = await InferenceSession.create(scaled.bytes());
    const { output } = await session.run({ x: new Tensor("float32", Float32Array.of(1, 2), [2, 1]) });
    expect(output.data).toEqual(Float32Array.of(5, 10));
    expect(await scaled([1, 2])).toEqual(Float32Array.of(5, 10));
    await session.release();
    await scaled.release();
  });

  test("has numbered names for inputs and outputs without names", () => {
    const { input, output } = graphOf(compile((x, y) => [x.add(y), x], [["N"], []]).bytes());
    expect([names(input), names(output)]).toEqual([
      ["input0", "input1"],
      ["output0", "output1"],
    ]);
    expect(names(graphOf(compile((x) => x, { x: ["N"] }).bytes()).output)).toEqual(["output"]);
  });

  test("throws an error if an input and an output have the same name", () => {
    expect(() => compile((x) => ({ x: x.mul(2) }), { x: ["N"] }).bytes()).toThrow(
      expect.objectContaining({ code: "ARGUMENT" }),
    );
  });
});
