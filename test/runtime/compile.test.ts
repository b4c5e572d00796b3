import { InferenceSession } from "onnxruntime-node";
import { describe, expect, test, vi } from "vitest";
import { PushforwardError } from "../../src/check/errors.ts";
import { batchSize, constant, filled, grad, Parameter, scalar, Tensor } from "../../src/graph/index.ts";
import type { Operation } from "../../src/graph/operation.ts";
import { sessionOptions } from "../../src/runtime/engine.ts";
import { compile } from "../../src/runtime/index.ts";

const float64 = { precision: "float64" } as const;
const shapes = [["N", 2], [2]] as const;
const affine = (x: Tensor, y: Tensor) => x.mul(2).add(y);

describe("a compiled function returns", () => {
  test("one array for one tensor", async () => {
    const f = compile(affine, shapes);
    expect(await f([1, 2, 3, 4], [10, 20])).toEqual(Float32Array.of(12, 24, 16, 28));
    await f.release();
  });

  test("a list of arrays for a list of tensors", async () => {
    const f = compile((x, y) => [y, x, affine(x, y).sum()] as const, shapes);
    const [second, first, sum]: readonly ArrayLike<number>[] = await f([1, 2], [10, 20]);
    expect([second, first, sum]).toEqual([
      Float32Array.of(10, 20),
      Float32Array.of(1, 2),
      Float32Array.of(36),
    ]);
    await f.release();
  });

  test("more than ten outputs in their order", async () => {
    const f = compile((x) => Array.from({ length: 12 }, (_, i) => x.add(i)), [[]], float64);
    expect(await f([100])).toEqual(Array.from({ length: 12 }, (_, i) => Float64Array.of(100 + i)));
    await f.release();
  });

  test("an object of arrays for an object of tensors", async () => {
    const f = compile((x, y) => ({ operation: affine(x, y), max: x.max(), x }), shapes, float64);
    const result = await f([1, 2], [10, 20]);
    expect(result).toEqual({
      operation: Float64Array.of(12, 24),
      max: Float64Array.of(2),
      x: Float64Array.of(1, 2),
    });
    await f.release();
  });

  test("0 and 1 for booleans", async () => {
    const f = compile((x) => [x.greater(0), x.greater(0).not()], [["N"]]);
    expect(await f([1, -1, 0])).toEqual([Float32Array.of(1, 0, 0), Float32Array.of(0, 1, 1)]);
    await f.release();
  });

  test("the result of a graph with more nodes than ONNX Runtime optimizes", async () => {
    const half = 6_000;
    const f = compile(
      (x) => {
        let y = x;
        for (let i = 1; i <= half; i++) y = y.mul(-1).add(i);
        return y;
      },
      [["N"]],
    );
    expect(f.graph.nodes.length).toBeGreaterThan(2 * half);
    expect(sessionOptions(f.options, f.graph).graphOptimizationLevel).toBe("disabled");
    // Two iterations add 1.
    expect(await f([0, 0.5])).toEqual(Float32Array.of(half / 2, half / 2 + 0.5));
    await f.release();
  });

  test("constants 0 and -0 with their signs", async () => {
    const f = compile((x) => [x.div(0), x.div(-0)], [[]]);
    expect(await f([1])).toEqual([Float32Array.of(Infinity), Float32Array.of(-Infinity)]);
    await f.release();
  });

  test("the result of a function without inputs", async () => {
    const f = compile(
      () => ({ a: scalar(2).mul(3), b: constant([1, 2], [2]).add(constant([3, 4], [2])) }),
      [],
    );
    expect(await f()).toEqual({ a: Float32Array.of(6), b: Float32Array.of(4, 6) });
    await f.release();
  });
});

describe("rows", () => {
  test("any number of rows uses one session", async () => {
    const f = compile((x, y) => ({ z: affine(x, y), mean: x.mean(0), rows: batchSize() }), shapes, float64);
    for (const rows of [1, 3, 2, 1000, 1]) {
      const x = Float64Array.from({ length: 2 * rows }, (_, i) => i);
      const { z, mean, rows: counted } = await f(x, [0.5, 0.5]);
      expect(z).toEqual(x.map((v) => 2 * v + 0.5));
      expect(mean).toEqual(Float64Array.of(rows - 1, rows));
      expect(counted).toEqual(Float64Array.of(rows));
    }
    await f.release();
  });

  test("there can be no rows", async () => {
    const f = compile(
      (x, y) => ({ z: affine(x, y).exp(), sum: x.sum(), flat: x.reshape(["N", 1, 2]) }),
      shapes,
    );
    expect(await f([], [1, 2])).toEqual({
      z: new Float32Array(),
      sum: Float32Array.of(0),
      flat: new Float32Array(),
    });
    await f.release();
  });

  test("the number of rows can be fixed", async () => {
    const f = compile((x, y) => ({ z: affine(x, y), mean: x.mean(0) }), shapes, { ...float64, batch: 2 });
    expect(await f([1, 2, 3, 4], [0, 0])).toEqual({
      z: Float64Array.of(2, 4, 6, 8),
      mean: Float64Array.of(2, 3),
    });
    await expect(f([1, 2], [0, 0])).rejects.toThrowErrorMatchingInlineSnapshot(
      `[PushforwardError: wrong number of rows for a function that was compiled for a fixed batch: expected 2 rows, received 1.]`,
    );
    await f.release();
  });

  test("a fixed number of rows also applies without inputs that have rows", async () => {
    const f = compile((x) => x.add(filled(1, ["N", 1])), [[2]], { batch: 3 });
    expect(await f([1, 2])).toEqual(Float32Array.of(2, 3, 2, 3, 2, 3));
    await f.release();
  });
});

describe("into", () => {
  test("writes into the arrays of the caller", async () => {
    const f = compile((x, y) => ({ z: affine(x, y), sum: x.sum() }), shapes);
    const inputs = [Float32Array.of(1, 2, 3, 4), Float32Array.of(10, 20)];
    const outputs = { z: new Float32Array(4), sum: new Float32Array(1) };
    const { z, sum } = outputs;
    await f.into(inputs, outputs);
    expect(outputs.z).toBe(z);
    expect(outputs.sum).toBe(sum);
    expect([z, sum]).toEqual([Float32Array.of(12, 24, 16, 28), Float32Array.of(10)]);

    inputs[0][0] = 5;
    await f.into(inputs, outputs);
    expect([z, sum]).toEqual([Float32Array.of(20, 24, 16, 28), Float32Array.of(14)]);

    const view = new Float32Array(10);
    await f.into(inputs, { z: view.subarray(3, 7), sum });
    expect(view).toEqual(Float32Array.of(0, 0, 0, 20, 24, 16, 28, 0, 0, 0));
    await f.release();
  });

  test("works for different numbers of rows one after another", async () => {
    const f = compile((x, y) => ({ z: affine(x, y) }), shapes);
    const y = Float32Array.of(1, 1);
    for (const rows of [2, 3, 2]) {
      const z = new Float32Array(2 * rows);
      await f.into([new Float32Array(2 * rows).fill(rows), y], { z });
      expect(z).toEqual(new Float32Array(2 * rows).fill(2 * rows + 1));
    }
    await f.release();
  });

  test("does not keep copies of outputs", async () => {
    const numbers = 4_000_000;
    const f = compile((x) => ({ y: x.neg() }), [["N"]]);
    const inputs = [new Float32Array(numbers).fill(2)];
    const y = new Float32Array(numbers);
    const { arrayBuffers } = process.memoryUsage();
    await f.into(inputs, { y });
    expect(process.memoryUsage().arrayBuffers - arrayBuffers).toBeLessThan(numbers);
    expect(y.every((value) => value === -2)).toBe(true);
    await f.release();
  });

  test("has the name of an array of the wrong length in its error", async () => {
    const f = compile((x, y) => ({ z: affine(x, y) }), shapes);
    const inputs = [new Float32Array(4), new Float32Array(2)];
    await expect(f.into(inputs, { z: new Float32Array(3) })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[PushforwardError: the array for z does not match its shape: expected 4 numbers for [N, 2], received 3.]`,
    );
    await expect(f.into(inputs, {})).rejects.toThrowErrorMatchingInlineSnapshot(
      `[PushforwardError: the array for z does not match its shape: expected 4 numbers for [N, 2], received none.]`,
    );
    await f.release();
  });
});

test("into and bind take arrays of the precision only", async () => {
  const f = compile((x) => ({ y: x.mul(2) }), [["N"]]);
  const call = f.into([Float64Array.of(3)], { y: new Float32Array(1) });
  await expect(call).rejects.toMatchObject({ code: "ARGUMENT" });
  await expect(call).rejects.toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: an array of a compiled function has the wrong type: expected Float32Array, received Float64Array.]`,
  );
  await expect(f.bind([Float32Array.of(3)], { y: new Float64Array(1) })).rejects.toMatchObject({
    code: "ARGUMENT",
  });
  await f.release();
});

describe("parameters", () => {
  test("are read at each call", async () => {
    const weight = new Parameter([2], [1, 2]);
    const f = compile((x) => ({ y: x.mul(weight).sum(), g: grad(x.mul(weight).sum(), [weight])[0] }), [[2]]);
    expect((await f([3, 4])).y).toEqual(Float32Array.of(11));
    weight.value[0] = 2;
    expect((await f([3, 4])).y).toEqual(Float32Array.of(14));
    weight.value = Float32Array.of(1, 1);
    expect(await f([3, 4])).toEqual({ y: Float32Array.of(7), g: Float32Array.of(3, 4) });
    weight.value = Float64Array.of(0, 0.5);
    expect((await f([3, 4])).y).toEqual(Float32Array.of(2));
    await f.release();
  });

  test("have all their digits in float64", async () => {
    const weight = new Parameter([1], Float64Array.of(1 / 3));
    const f = compile((x) => x.mul(weight), [[1]], float64);
    expect(await f([1])).toEqual(Float64Array.of(1 / 3));
    await f.release();
  });

  test("have the names of the option parameterNames", () => {
    const weight = new Parameter([1], [1]);
    const { graph } = compile((x) => x.mul(weight), [[1]], { parameterNames: new Map([[weight, "scale"]]) });
    expect(graph.parameters.map(({ name }) => name)).toEqual(["scale"]);
  });
});

test("float32 rounds, float64 does not", async () => {
  const third = 1 / 3;
  for (const precision of ["float32", "float64"] as const) {
    const f = compile((x) => x.add(third), [[1]], { precision });
    const expected = precision === "float32" ? Float32Array.of(third) : Float64Array.of(third);
    expect(await f([0])).toEqual(expected);
    await f.release();
  }
});

test("results do not depend on the number of threads", async () => {
  const x = Float32Array.from({ length: 512 * 64 }, (_, i) => Math.sin(i));
  const results = [];
  for (const threads of [1, 2]) {
    const f = compile(
      (x, w) => {
        const y = x.matmul(w).tanh().matmul(w, { transposeB: true }).softplus().sum(1);
        return { y, gradient: grad(y.mean(), [w])[0] };
      },
      [
        ["N", 64],
        [64, 32],
      ],
      { threads },
    );
    results.push(await f(x, x.subarray(0, 64 * 32)));
    await f.release();
  }
  expect(results[1]).toEqual(results[0]);
});

test("calls may overlap", async () => {
  const f = compile((x) => x.mul(2).exp().log(), [["N"]], float64);
  const sizes = [1, 5, 3, 8];
  const results = await Promise.all(sizes.map((size) => f(new Float64Array(size).fill(size))));
  results.forEach((result, i) => {
    expect(result).toHaveLength(sizes[i]);
    for (const value of result) expect(value).toBeCloseTo(2 * sizes[i], 12);
  });
  await f.release();
});

test("after release, the next call creates a new session", async () => {
  const f = compile(affine, shapes);
  await f.release();
  expect(await f([1, 2], [0, 0])).toEqual(Float32Array.of(2, 4));
  await f.release();
  await f.release();
  expect(await f([1, 2], [0, 0])).toEqual(Float32Array.of(2, 4));
  await f.release();
});

test("after a session could not be created, the next call tries again", async () => {
  const create = vi.spyOn(InferenceSession, "create").mockRejectedValueOnce(new Error("out of memory"));
  const f = compile(affine, shapes);
  await expect(f([1, 2], [0, 0])).rejects.toMatchObject({
    code: "ENGINE",
    message: "ONNX Runtime refused the graph: out of memory.",
  });
  expect(await f([1, 2], [0, 0])).toEqual(Float32Array.of(2, 4));
  expect(create).toHaveBeenCalledTimes(2);
  create.mockRestore();
  await f.release();
});

test("a session that could not be created does not replace the one of a call after release", async () => {
  const create = vi.spyOn(InferenceSession, "create").mockRejectedValueOnce(new Error("out of memory"));
  const f = compile(affine, shapes);
  const failed = f([1, 2], [0, 0]);
  const released = f.release();
  const results = [f([1, 2], [0, 0]), f([1, 2], [0, 0])];
  await expect(failed).rejects.toThrow("out of memory");
  await released;
  expect(await Promise.all(results)).toEqual([Float32Array.of(2, 4), Float32Array.of(2, 4)]);
  expect(await f([1, 2], [0, 0])).toEqual(Float32Array.of(2, 4));
  expect(create).toHaveBeenCalledTimes(2);
  create.mockRestore();
  await f.release();
});

describe("inputs that do not match", () => {
  const f = compile((x, y) => x.mul(y), shapes);
  test.each<[string, number[][]]>([
    ["too few", [[1, 2]]],
    [
      "too many",
      [
        [1, 2],
        [1, 2],
        [1, 2],
      ],
    ],
    [
      "no integer of rows",
      [
        [1, 2, 3],
        [1, 2],
      ],
    ],
    [
      "another length",
      [
        [1, 2],
        [1, 2, 3],
      ],
    ],
  ])("%s", async (_, inputs) => {
    const call = f(...inputs);
    await expect(call).rejects.toMatchObject({ code: "SHAPE" });
    await expect(call).rejects.toThrow(PushforwardError);
  });

  test("have messages", async () => {
    await expect(f([1, 2])).rejects.toThrowErrorMatchingInlineSnapshot(
      `[PushforwardError: wrong number of inputs for a compiled function: expected 2, received 1.]`,
    );
    await expect(f([1, 2, 3], [1, 2])).rejects.toThrowErrorMatchingInlineSnapshot(
      `[PushforwardError: input0 does not match its shape: expected a number of values that fills [N, 2], received 3 numbers.]`,
    );
    await expect(f([1, 2], [1, 2, 3])).rejects.toThrowErrorMatchingInlineSnapshot(
      `[PushforwardError: input1 does not match its shape: expected a number of values that fills [2], received 3 numbers.]`,
    );
  });

  test("two inputs of different numbers of rows", async () => {
    const g = compile((x, y) => x.add(y), [["N"], ["N"]]);
    await expect(g([1, 2], [1, 2, 3])).rejects.toMatchObject({ code: "SHAPE" });
  });
});

test("a graph that ONNX Runtime refuses is an ENGINE error", async () => {
  const unknown: Operation = {
    name: "unknown",
    shape: ([x]) => x.shape,
    emit: (onnx, inputs) => onnx.node("NoSuchOperator", inputs),
  };
  const f = compile((x) => new Tensor(unknown, [x], {}), [["N"]]);
  await expect(f([1])).rejects.toMatchObject({ name: "PushforwardError", code: "ENGINE" });
  await expect(f([1])).rejects.toThrow("NoSuchOperator");
  await f.release();
});

test("a call that ONNX Runtime cannot compute is an ENGINE error with its cause", async () => {
  const shapes = { x: ["N", 2], order: [2], inverse: [2] } as const;
  const f = compile((x, order, inverse) => x.permute(1, order, inverse), shapes);
  await expect(f([1, 2], [99, 99], [1, 0])).rejects.toMatchObject({
    code: "ENGINE",
    message: expect.stringMatching(/^ONNX Runtime failed: .*out of/s),
    cause: expect.any(Error),
  });
  await f.release();
});

test("equal names of inputs, parameters and outputs are an error", () => {
  const double = () => compile((x) => ({ x: x.mul(2) }), { x: ["N"] });
  expect(double).toThrow(expect.objectContaining({ code: "ARGUMENT" }));
  expect(double).toThrow(/^two inputs, parameters or outputs of the graph have the name x\./);
  const weight = new Parameter([], [2]);
  const parameterNames = new Map([[weight, "x"]]);
  expect(() => compile((x) => x.mul(weight), { x: ["N"] }, { parameterNames })).toThrow(/have the name x\./);
  const embedded = compile((x) => x.mul(weight), { x: ["N"] }, { parameterNames, embedParameters: true });
  expect(embedded.graph.outputs).toHaveLength(1);
});

test("float64 keeps all digits of a factor of a product of matrices", async () => {
  const run = compile(
    (x, w) => x.matmul(w).mul(0.1),
    [
      ["N", 2],
      [2, 1],
    ],
    { precision: "float64" },
  );
  expect((await run([1, 2], [3, 4]))[0]).toBe(11 * 0.1);
});
