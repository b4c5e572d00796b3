import { fromBinary } from "@bufbuild/protobuf";
import { ModelProtoSchema, TensorProto_DataType, type ValueInfoProto } from "onnx-buf";
import { InferenceSession, Tensor as OrtTensor } from "onnxruntime-node";
import { describe, expect, test } from "vitest";
import {
  batchSize,
  buildGraph,
  concat,
  constant,
  filled,
  type Graph,
  grad,
  input,
  loop,
  Parameter,
  type Tensor,
} from "../../src/graph/index.ts";
import { layerNormalization } from "../../src/graph/operations/layerNormalization.ts";
import { sizeOf } from "../../src/graph/shape.ts";
import { scoped } from "../../src/graph/tracing/scope.ts";
import { type ExportOptions, exportOnnx } from "../../src/onnx/index.ts";
import { compile } from "../../src/runtime/index.ts";

const parse = (graph: Graph, options?: ExportOptions) =>
  fromBinary(ModelProtoSchema, exportOnnx(graph, options));

/** `name: elementType [dimensions]` */
function describeValue({ name, type }: ValueInfoProto): string {
  if (type?.value.case !== "tensorType") throw new Error("not a tensor");
  const { elemType, shape } = type.value.value;
  return `${name}: ${TensorProto_DataType[elemType]} [${shape!.dim.map((d) => d.value.value).join(", ")}]`;
}

/** A small layer with a loss and its gradient. */
function example(): { graph: Graph; weight: Parameter } {
  const x = input("x", ["N", 2]);
  const weight = new Parameter([2, 3], [1, 2, 3, 4, 5, 6]);
  const y = scoped("layers", () => scoped("0", () => x.matmul(weight).tanh()));
  const loss = y.mean();
  const [gradient] = grad(loss, [weight]);
  const graph = buildGraph(
    [x],
    { y, gradient, positive: y.greater(0) },
    { parameterNames: new Map([[weight, "layers.0.weight"]]) },
  );
  return { graph, weight };
}

describe("the file", () => {
  test("contains the operator set, the producer and metadata", () => {
    const model = parse(example().graph, { metadata: { flow: "maf", version: "1" } });
    expect(model.irVersion).toBe(9n);
    expect(model.producerName).toBe("pushforward");
    expect(model.opsetImport.map(({ domain, version }) => [domain, version])).toEqual([["", 18n]]);
    expect(model.metadataProps.map(({ key, value }) => [key, value])).toEqual([
      ["flow", "maf"],
      ["version", "1"],
    ]);
  });

  test("has a later operator set only for the operators that need it", () => {
    const x = input("x", ["N", 2]);
    const versionOf = (y: Tensor, fixedParameters: boolean) =>
      parse(buildGraph([x], { y }, { fixedParameters })).opsetImport[0]!.version;
    expect(versionOf(x.gelu(), true)).toBe(20n);
    expect(versionOf(x.gelu(), false)).toBe(18n);
    expect(versionOf(x.erf(), true)).toBe(18n);
  });

  test("declares inputs, parameters and outputs, with a symbolic number of rows", () => {
    const { input, output } = parse(example().graph).graph!;
    expect(input.map(describeValue)).toEqual(["x: FLOAT [N, 2]", "layers.0.weight: FLOAT [2, 3]"]);
    expect(output.map(describeValue)).toEqual([
      "y: FLOAT [N, 3]",
      "gradient: FLOAT [2, 3]",
      "positive: BOOL [N, 3]",
    ]);
  });

  test("contains every number in the chosen precision", () => {
    const { input, output, initializer } = parse(example().graph, { precision: "float64" }).graph!;
    expect([...input, ...output].map(describeValue).filter((text) => text.includes("FLOAT"))).toEqual([]);
    expect(initializer.every(({ dataType }) => dataType !== TensorProto_DataType.FLOAT)).toBe(true);
    const one = initializer.find(
      ({ name, dataType }) => name === "scalar" && dataType === TensorProto_DataType.DOUBLE,
    );
    expect(one?.rawData.length).toBe(8);
  });

  test("has the same bytes each time", () => {
    expect(exportOnnx(example().graph)).toEqual(exportOnnx(example().graph));
  });

  test("names nodes by the path of their module", () => {
    const names = parse(example().graph).graph!.node.map(({ name }) => name);
    expect(names).toContain("layers/0/gemm");
    expect(names).toContain("layers/0/tanh");
    expect(names.some((name) => name.startsWith("gradient/layers/0/"))).toBe(true);
  });

  test("defines each name once and before it is used", () => {
    const { input, initializer, node, output } = parse(example().graph).graph!;
    const known = new Set([...input, ...initializer].map(({ name }) => name));
    expect(known.size).toBe(input.length + initializer.length);
    for (const { input, output } of node) {
      for (const name of input) expect(known).toContain(name);
      for (const name of output) {
        expect(known).not.toContain(name);
        known.add(name);
      }
    }
    for (const { name } of output) expect(known).toContain(name);
  });

  test("writes a scalar or a list of integers once", () => {
    const x = input("x", ["N", 4]);
    const y = x
      .mul(2)
      .add(2)
      .slice(1, 0, 2)
      .add(x.slice(1, 0, 2))
      .sum(1)
      .add(x.max(1));
    const { initializer } = parse(buildGraph([x], { y })).graph!;
    const contents = initializer.map(({ dataType, dims, rawData }) => `${dataType} ${dims} ${rawData}`);
    expect(new Set(contents).size).toBe(contents.length);
  });
});

describe("slices", () => {
  const typesOf = (graph: Graph) => parse(graph).graph!.node.map(({ opType }) => opType);

  test("that together are a whole tensor become one Split, in any order, and only then", async () => {
    const x = input("x", ["N", 6]);
    const [a, b, c] = x.split(1, [1, 2, 3]);
    const whole = buildGraph([x], { c, a: a.mul(2), b });
    expect(typesOf(whole).filter((type) => /Split|Slice/.test(type))).toEqual(["Split"]);
    const session = await InferenceSession.create(exportOnnx(whole));
    const rows = new OrtTensor(
      "float32",
      Float32Array.from({ length: 12 }, (_, i) => i),
      [2, 6],
    );
    const cut = await session.run({ x: rows });
    expect([...(cut.a.data as Float32Array)]).toEqual([0, 12]);
    expect([...(cut.b.data as Float32Array)]).toEqual([1, 2, 7, 8]);
    expect([...(cut.c.data as Float32Array)]).toEqual([3, 4, 5, 9, 10, 11]);

    const partial = buildGraph([x], { a, c });
    expect(typesOf(partial).filter((type) => /Split|Slice/.test(type))).toEqual(["Slice", "Slice"]);
    // WebGPU may not be able to run a node with more than eight tensors.
    const wide = input("x", ["N", 8]);
    const many = wide.split(1, new Array(8).fill(1)).map((part, i): [string, Tensor] => [`part${i}`, part]);
    expect(typesOf(buildGraph([wide], Object.fromEntries(many)))).not.toContain("Split");
    const overlapping = buildGraph([x], { front: x.slice(1, 0, 4), back: x.slice(1, 3, 6) });
    expect(typesOf(overlapping).filter((type) => /Split|Slice/.test(type))).toEqual(["Slice", "Slice"]);
  });

  test("do not become a Split if the runtime would fail to fuse a sum with a product of its third output", async () => {
    const x = input("x", ["N", 4]);
    const [a, b, c, d] = x.split(1, [1, 1, 1, 1]);
    const added = c.matmul(constant([1, 2], [2, 1]), { transposeB: true }).add(concat([a, d], 1));
    const graph = buildGraph([x], { added, b });
    const session = await InferenceSession.create(exportOnnx(graph));
    const { added: sum } = await session.run({ x: new OrtTensor("float32", [1, 2, 3, 4], [1, 4]) });
    expect([...(sum.data as Float32Array)]).toEqual([4, 10]);
  });
});

describe("parameters", () => {
  test("can be written into the file, and are not inputs then", async () => {
    const { graph, weight } = example();
    const model = parse(graph, { embedParameters: true }).graph!;
    expect(model.input.map(({ name }) => name)).toEqual(["x"]);
    const written = model.initializer.find(({ name }) => name === "layers.0.weight")!;
    expect(written.dims).toEqual([2n, 3n]);
    expect(new Float32Array(written.rawData.slice().buffer)).toEqual(weight.value);
    const session = await InferenceSession.create(exportOnnx(graph, { embedParameters: true }));
    const { y } = await session.run({ x: new OrtTensor("float32", [0.5, -1], [1, 2]) });
    const expected = [0.5 - 4, 1 - 5, 1.5 - 6].map(Math.tanh);
    expected.forEach((value, i) => {
      expect(y.data[i]).toBeCloseTo(value, 6);
    });
    await session.release();
  });

  test.each([0, 1, 2])(
    "are moved along axis %i when the file is written, as nodes would move them",
    async (axis) => {
      const x = input("x", [1]);
      const first = new Parameter(
        [2, 3, 4],
        Array.from({ length: 24 }, (_, i) => i),
      );
      const second = new Parameter(
        [2, 3, 4],
        Float64Array.from({ length: 24 }, (_, i) => 100 + i),
      );
      const joined = concat([first, second, first.slice(axis, 1, 2)], axis);
      const piece = joined.slice(axis, 1, 4);
      const outputs = {
        joined: joined.add(x),
        chosen: joined.gather(axis, [4, 0, 0, 3]).add(x),
        flat: piece.reshape([sizeOf(piece.shape)]).add(x),
      };
      const graph = buildGraph([x], outputs);
      const types = parse(graph, { embedParameters: true }).graph!.node.map(({ opType }) => opType);
      expect(types.filter((type) => type !== "Add" && type !== "Identity")).toEqual([]);
      const [parameter0, parameter1] = [first, second].map(
        ({ value }) => new OrtTensor("float32", Float32Array.from(value), [2, 3, 4]),
      );
      const run = async (options: ExportOptions, parameters: Record<string, OrtTensor>) => {
        const session = await InferenceSession.create(exportOnnx(graph, options));
        const results = await session.run({ x: new OrtTensor("float32", [0], [1]), ...parameters });
        await session.release();
        return Object.entries(results).map(([name, { dims, data }]) => ({ name, dims, data }));
      };
      expect(await run({ embedParameters: true }, {})).toEqual(await run({}, { parameter0, parameter1 }));
    },
  );

  test("without names are numbered", () => {
    const x = input("x", ["N"]);
    const y = x.add(new Parameter([1], [1])).mul(new Parameter([1], [2]));
    expect(buildGraph([x], { y }).parameters.map(({ name }) => name)).toEqual(["parameter0", "parameter1"]);
  });
});

describe("the number of rows", () => {
  const x = input("x", ["N", 2]);
  const graph = buildGraph([x], {
    mean: x.mean(),
    wide: filled(1, ["N", 4]).mul(x.sum()),
    rows: batchSize(),
  });
  const types = (options?: ExportOptions) => parse(graph, options).graph!.node.map(({ opType }) => opType);

  test("is read from a batched input, once", () => {
    expect(types().filter((type) => type === "Shape")).toHaveLength(1);
  });

  test("is declared for values whose shape depends on it, so that the runtime knows which shapes are equal", () => {
    const { node, valueInfo } = parse(graph).graph!;
    const expanded = node.filter(({ opType }) => opType === "Expand").flatMap(({ output }) => output);
    expect(valueInfo.map(describeValue)).toEqual(expanded.map((name) => `${name}: FLOAT [N, 4]`));
    expect(expanded).toHaveLength(1);
  });

  test("is a number if it is fixed", () => {
    expect(types({ batch: 8 })).not.toContain("Shape");
    const { input, output } = parse(graph, { batch: 8 }).graph!;
    expect(input.map(describeValue)).toEqual(["x: FLOAT [8, 2]"]);
    expect(output.map(describeValue)).toEqual(["mean: FLOAT []", "wide: FLOAT [8, 4]", "rows: FLOAT []"]);
  });

  test("cannot be known without a batched input", () => {
    const y = input("y", [2]);
    const lonely = buildGraph([y], { z: y.mul(batchSize()) });
    expect(() => exportOnnx(lonely)).toThrowErrorMatchingInlineSnapshot(`
      [PushforwardError: the graph needs the number of rows N, but no input has it.
      Add an input of shape [N, ...], or set \`batch\`.]
    `);
    expect(() => exportOnnx(lonely, { batch: 4 })).not.toThrow();
  });
});

describe("names", () => {
  const x = input("x", ["N", 2]);
  const namesOf = (outputs: Record<string, Tensor>) => parse(buildGraph([x], outputs)).graph!;

  test("of outputs are kept if nodes would have the same names", () => {
    const { output, node } = namesOf({
      exp: x.exp(),
      reducesum: x.exp().exp().sum(),
      scalar: x.mul(2),
      constant: x.mul(constant([1, 2], [2])),
    });
    expect(output.map(({ name }) => name)).toEqual(["exp", "reducesum", "scalar", "constant"]);
    expect(node.filter(({ opType }) => opType === "Exp").map(({ name }) => name)).toEqual(["exp_1", "exp_2"]);
  });

  test("of outputs can belong to an input, and two of them to one tensor", () => {
    const { node } = namesOf({ same: x, again: x, y: x.neg(), z: x.neg() });
    expect(node.map(({ opType, input, output }) => `${opType} ${input} ${output}`)).toEqual([
      "Neg x y",
      "Identity x same",
      "Identity x again",
      "Identity y z",
    ]);
  });

  test("may contain spaces: nodes are shared only if all their inputs are equal", () => {
    const [ab, c, a, bc] = ["a b", "c", "a", "b c"].map((name) => input(name, ["N"]));
    const { node } = parse(buildGraph([ab, c, a, bc], { y: ab.add(c), z: a.add(bc) })).graph!;
    expect(node.map(({ opType, input, output }) => [opType, input, output])).toEqual([
      ["Add", ["a b", "c"], ["y"]],
      ["Add", ["a", "b c"], ["z"]],
    ]);
  });

  test("of inputs may be those that nodes with several outputs would have", async () => {
    const shapes = { "loop.0": ["N", 2], "layernormalization.2": ["N", 2], shift: [2] } as const;
    const build = (a: Tensor, b: Tensor, shift: Tensor) => {
      const [doubled] = loop([a], ([state]) => ({ state: [state.mul(2)], proceed: state.sum().less(-1) }), {
        maxIterations: 3,
      });
      return grad(layerNormalization(b.add(doubled), shift, shift).square().sum(), [b])[0];
    };
    const values = [
      [1, -2],
      [0.5, 3],
      [1, 2],
    ];
    const [named, unnamed] = [compile(build, shapes), compile(build, Object.values(shapes))];
    expect(await named(...values)).toEqual(await unnamed(...values));
    await named.release();
    await unnamed.release();
  });

  test("cannot be those of an input and of an output", () => {
    expect(() => namesOf({ x: x.exp() })).toThrowErrorMatchingInlineSnapshot(`
      [PushforwardError: two inputs, parameters or outputs of the graph have the name x.
      Give each a different name.]
    `);
  });
});
