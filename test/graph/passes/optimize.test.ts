import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  buildGraph,
  concat,
  constant,
  grad,
  input,
  type Operation,
  printGraph,
  type Shape,
  scalar,
  Tensor,
} from "../../../src/graph/index.ts";
import { Parameter } from "../../../src/graph/parameter.ts";
import { maskedParameters } from "../../../src/graph/passes/maskedParameters.ts";
import { optimize } from "../../../src/graph/passes/optimize.ts";
import { scoped } from "../../../src/graph/tracing/scope.ts";
import { ancestors } from "../../../src/graph/traversal.ts";
import { compile } from "../../../src/runtime/index.ts";
import { Dense, map, reduce, tabulate } from "../dense.ts";
import { expectClose } from "../run.ts";

/** Operations that remain, in order. */
const remaining = (...outputs: Tensor[]): string[] =>
  ancestors(optimize(outputs))
    .map((t) => t.operation.name)
    .filter((name) => name !== "input" && name !== "constant");

const x = input("x", ["N", 3]);
const s = input("s", []);

/** A user's operation: x times a factor that is not an attribute. */
const scaling = (factor: number): Operation => ({
  name: "scaling",
  shape: ([x]) => x.shape,
  emit: (onnx, [x]) => onnx.node("Mul", [x, onnx.scalar(factor)]),
});

describe("optimize", () => {
  test("does not merge different operations of one name", async () => {
    const [two, three] = [scaling(2), scaling(3)];
    const run = compile((x) => [two, two, three].map((each) => new Tensor(each, [x], {})), [["N"]]);
    expect((await run([1, 10])).map((values) => [...values])).toEqual([
      [2, 20],
      [2, 20],
      [3, 30],
    ]);
    expect(remaining(new Tensor(two, [x], {}).add(new Tensor(two, [x], {})))).toEqual(["scaling", "add"]);
  });

  test("merges common subexpressions", () => {
    const y = x.exp().add(1);
    const z = x.exp().add(1);
    expect(remaining(y.mul(z))).toEqual(["exp", "add", "mul"]);
    const [first, second] = optimize([y, z]);
    expect(first).toBe(second);
  });

  test("does not merge nodes with different arguments", () => {
    expect(remaining(x.slice(1, 0, 1).add(x.slice(1, 1, 2)))).toEqual(["slice", "slice", "add"]);
    expect(remaining(x.sum(1).add(x.sum(1, { keepAxes: true }).reshape(["N"])))).toHaveLength(4);
    const [positive, negative] = optimize([x.div(0), x.div(-0)]);
    expect(positive).not.toBe(negative);
    const [infinite, missing] = optimize([x.mul(Number.POSITIVE_INFINITY), x.mul(Number.NaN)]);
    expect(infinite).not.toBe(missing);
  });

  test("merges equal constants, but not inputs of equal shapes", () => {
    expect(remaining(x.mul(constant([1, 2, 3], [3])).add(x.mul(constant([1, 2, 3], [3]))))).toEqual([
      "mul",
      "add",
    ]);
    expect(
      remaining(
        input("a", [3])
          .exp()
          .add(input("b", [3]).exp()),
      ),
    ).toEqual(["exp", "exp", "add"]);
  });

  test("leaves out nodes that no output needs", () => {
    const used = x.exp();
    used.log().sin();
    expect(remaining(used)).toEqual(["exp"]);
  });

  test("evaluates operations on scalar constants", () => {
    const value = scalar(3).mul(4).sub(2).div(5).exp().log().neg().square().sqrt().add(1).reciprocal();
    const [result] = optimize([value]);
    expect(result.operation.name).toBe("constant");
    expect(result.attributes.values).toEqual([1 / 3]);
  });

  test.each<[string, Tensor, Tensor]>([
    ["x + 0", x.add(0), x],
    ["0 + x", scalar(0).add(x), x],
    ["x - 0", x.sub(0), x],
    ["x * 1", x.mul(1), x],
    ["1 * x", scalar(1).mul(x), x],
    ["x / 1", x.div(1), x],
    ["-(-x)", x.neg().neg(), x],
    ["-(-(-(-x)))", x.neg().neg().neg().neg(), x],
    ["a folded 1", x.mul(scalar(2).mul(0.5)), x],
    ["stopGradient", x.stopGradient(), x],
    ["a reshape there and back", x.reshape(["N", 3, 1]).reshape(["N", 3]), x],
    ["a reshape of what became x", x.add(0).reshape(["N", 1, 3]).reshape(["N", 3]), x],
  ])("%s", (_, expression, expected) => {
    expect(optimize([expression])[0]).toBe(expected);
  });

  test("rewrites x + (-y) as x - y, and x - (-y) as x + y", () => {
    const y = x.exp();
    expect(remaining(x.add(y.neg()))).toEqual(["exp", "sub"]);
    expect(remaining(x.sub(y.neg()))).toEqual(["exp", "add"]);
    const [difference] = optimize([y.neg().add(1)]);
    expect(difference.inputs[1].operation.name).toBe("exp");
  });

  test("merges consecutive reshapes, and consecutive broadcasts", () => {
    expect(remaining(x.reshape(["N", 3, 1]).reshape(["N", 1, 3]))).toEqual(["reshape"]);
    expect(remaining(s.broadcastTo([3]).broadcastTo(["N", 3]))).toEqual(["broadcastTo"]);
  });

  test("rewrites sum(x) + sum(y) as sum(x + y) for equal axes and shapes only", () => {
    const y = x.exp();
    expect(remaining(x.sum(1).add(y.sum(1)).add(x.mul(y).sum(1)))).toEqual([
      "exp",
      "mul",
      "add",
      "add",
      "sum",
    ]);
    expect(remaining(x.sum(1).add(x.slice(1, 0, 2).sum(1)))).toEqual(["sum", "slice", "sum", "add"]);
    const [rows, columns] = [input("a", [3, 3]).sum(0), input("b", [3, 3]).sum(1)];
    expect(remaining(rows.add(columns))).toEqual(["sum", "sum", "add"]);
  });

  test("concatenates matrices before it transposes them", () => {
    const [a, b] = [input("a", [2, 3]), input("b", [2, 5])];
    const pair = concat([a.transpose([1, 0]), b.transpose([1, 0])], 0);
    expect(remaining(concat([pair, input("c", [2, 4]).transpose([1, 0])], 0))).toEqual([
      "concat",
      "concat",
      "transpose",
    ]);
    expect(remaining(concat([pair, input("d", [4, 2])], 0))).toEqual(["concat", "transpose", "concat"]);
  });

  test("reshapes instead of moving axes of size 1", () => {
    const image = input("image", ["N", 1, 4, 1, 3]);
    const moved = image.transpose([0, 3, 2, 4, 1]);
    expect(moved.shape).toEqual(["N", 1, 4, 3, 1]);
    expect(remaining(moved.exp())).toEqual(["reshape", "exp"]);
    expect(remaining(image.transpose([0, 1, 2, 3, 4]).exp())).toEqual(["exp"]);
    expect(remaining(x.reshape(["N", 1, 3, 1]).transpose([0, 2, 1, 3]))).toEqual(["reshape"]);
    expect(remaining(image.transpose([0, 1, 4, 3, 2]).exp())).toEqual(["transpose", "exp"]);
  });

  test("keeps operations that change the shape", () => {
    expect(remaining(s.add(constant([0, 0], [2])))).toEqual(["add"]);
    expect(remaining(scalar(1).broadcastTo(["N", 3]).mul(s))).toEqual(["broadcastTo", "mul"]);
    expect(optimize([s.mul(constant([1, 1], [2]))])[0].shape).toEqual([2]);
  });
});

describe("masked parameters", () => {
  const weight = new Parameter([3, 2], [1, 0, 2, 3, 0, 4]);
  const mask = () => constant([1, 0, 1, 1, 0, 1], [3, 2]);

  test("are those that are read only through products with the same mask", () => {
    const products = [weight.mul(mask()), mask().mul(weight)];
    const outputs = products.map((product) => x.matmul(product));
    expect(maskedParameters(outputs)).toEqual([{ parameter: weight, mask: [1, 0, 1, 1, 0, 1], products }]);
  });

  test.each<[string, Tensor]>([
    ["seen by itself too", x.matmul(weight.mul(mask())).add(x.matmul(weight))],
    [
      "seen through two masks",
      x.matmul(weight.mul(mask())).add(x.matmul(weight.mul(constant([1, 1, 1, 1, 1, 1], [3, 2])))),
    ],
    ["scaled", x.matmul(weight.mul(constant([2, 0, 1, 1, 0, 1], [3, 2])))],
    ["scaled as a whole", x.matmul(weight.mul(1))],
    ["masked by what is computed", x.matmul(weight.mul(mask().exp()))],
    [
      "in several copies",
      x.matmul(
        weight
          .reshape([1, 3, 2])
          .mul(constant([1, 0], [2, 1, 1]))
          .sum(0),
      ),
    ],
  ])("are not those that are %s", (_, output) => {
    expect(maskedParameters([output])).toEqual([]);
  });
});

/** Evaluates a graph in plain JavaScript, without optimization. */
function interpret(output: Tensor, inputs: ReadonlyMap<Tensor, Dense>): Dense {
  const values = new Map<Tensor, Dense>(inputs);
  const rows = 2;
  const sizes = (shape: Shape) => shape.map((d) => (d === "N" ? rows : d));
  const formulas: Record<string, (...args: number[]) => number> = {
    add: (a, b) => a + b,
    sub: (a, b) => a - b,
    mul: (a, b) => a * b,
    div: (a, b) => a / b,
    neg: (a) => -a,
    exp: Math.exp,
    square: (a) => a * a,
    stopGradient: (a) => a,
  };
  for (const node of ancestors([output])) {
    if (values.has(node)) continue;
    const { name } = node.operation;
    const given = node.inputs.map((parent) => values.get(parent)!);
    const shape = sizes(node.shape);
    const { axes, keepAxes, values: numbers } = node.attributes as Record<string, never>;
    const value =
      name === "constant"
        ? new Dense(shape, numbers)
        : name === "reshape"
          ? new Dense(shape, given[0].data)
          : name === "broadcastTo"
            ? tabulate(shape, (position) => given[0].at(position))
            : name === "sum"
              ? reduce(given[0], axes, keepAxes, (all) => all.reduce((a, b) => a + b))
              : map(formulas[name], ...given);
    values.set(node, value);
  }
  return values.get(output)!;
}

/** A random expression. Each operation reads results of earlier ones, so that subexpressions are shared. */
const expressions = fc
  .array(fc.tuple(fc.nat(11), fc.nat(), fc.nat(), fc.constantFrom(0, 1, -1, 2, -0, 0.5)), {
    minLength: 1,
    maxLength: 25,
  })
  .map((steps) => (...inputs: Tensor[]): Tensor => {
    const results = [...inputs];
    for (const [kind, i, j, number] of steps) {
      const a = results[i % results.length];
      const b = results[j % results.length];
      const last = a.shape.slice(0, -1);
      const kinds: (() => Tensor)[] = [
        () => a.add(b),
        () => a.sub(b),
        () => a.mul(b),
        () => a.add(number),
        () => scalar(number).mul(a),
        () => a.div(number || 1),
        () => a.neg(),
        () => a.mul(0.1).square(),
        () => scalar(number).exp().mul(a),
        () => (a.rank === 0 ? a.broadcastTo([3]) : a.reshape([...last, 1, 3]).reshape([...last, 3])),
        () => a.sum().mul(0.1),
        () => a.stopGradient(),
      ];
      results.push(kinds[kind]());
    }
    return results.at(-1)!;
  });

test("optimize does not change results or add nodes, for random expressions", async () => {
  const shapes: Shape[] = [["N", 3], [3], []];
  const given = [[0.5, -1, 2, 3, 0.25, -0.75], [1.5, -0.5, 1], [-2]];
  const dense = [new Dense([2, 3], given[0]), new Dense([3], given[1]), new Dense([], given[2])];
  await fc.assert(
    fc.asyncProperty(expressions, async (build) => {
      const inputs = shapes.map((shape, i) => input(`x${i}`, shape));
      const output = build(...inputs);
      const values = new Map(inputs.map((t, i) => [t, dense[i]]));
      const expected = interpret(output, values);
      const [optimized] = optimize([output]);
      expect(optimized.shape).toEqual(output.shape);
      expect(ancestors([optimized]).length).toBeLessThanOrEqual(ancestors([output]).length);
      expectClose(interpret(optimized, values).data, expected.data);
      expect(optimize([optimized])[0]).toBe(optimized);

      const compiled = compile(build, shapes, { precision: "float64" });
      expectClose(await compiled(...given), expected.data);
      await compiled.release();
    }),
    { seed: 4, numRuns: 100 },
  );
});

test("printGraph", () => {
  const weight = input("weight", [2, 1]);
  const z = input("z", ["N", 2]);
  const loss = scoped("layer", () => z.matmul(weight).tanh())
    .square()
    .mean();
  const [gradient] = grad(loss, [weight]);
  const large = z.matmul(constant([1, 2, 3, 4, 5, 6, 7, 8], [2, 4]));
  expect(
    printGraph(buildGraph([z, weight], { loss, gradient, positive: large.greater(0).toFloat() })),
  ).toMatchInlineSnapshot(`
    "graph(%z: [N, 2], %weight: [2, 1])
      %2 = matmul(%z, %weight, transposeA=false, transposeB=false) : [N, 1]  # layer
      %3 = tanh(%2) : [N, 1]  # layer
      %4 = square(%3) : [N, 1]
      %5 = sum(%4, axes=[0, 1], keepAxes=false) : []
      %6 = batchSize() : []
      %7 = constant(shape=[], values=[1]) : []
      %8 = constant(shape=[], values=[2]) : []  # gradient
      %9 = mul(%3, %8) : [N, 1]  # gradient
      %10 = constant(shape=[2, 4], values=[1, 2, 3, 4, 5, 6, ... 8 in all]) : [2, 4]
      %11 = matmul(%z, %10, transposeA=false, transposeB=false) : [N, 4]
      %12 = constant(shape=[], values=[0]) : []
      %13 = greater(%11, %12) : bool [N, 4]
      %14 = toFloat(%13) : [N, 4]
      %15 = div(%5, %6) : []
      %16 = div(%7, %6) : []  # gradient
      %17 = mul(%16, %9) : [N, 1]  # gradient
      %18 = sub(%7, %4) : [N, 1]  # gradient/layer
      %19 = mul(%17, %18) : [N, 1]  # gradient/layer
      %20 = matmul(%z, %19, transposeA=true, transposeB=false) : [2, 1]  # gradient/layer
      return loss=%15, gradient=%20, positive=%14"
  `);
});

test("an input that is not declared is an error with its name", () => {
  expect(() => buildGraph([x], { y: x.add(s) })).toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: the graph reads s, which is not among its inputs.]`,
  );
});
