import { describe, expect, test } from "vitest";
import {
  buildGraph,
  constant,
  grad,
  input,
  jacobian,
  printGraph,
  type Shape,
  scalar,
  type Tensor,
  valueAndGrad,
  vjp,
} from "../../src/graph/index.ts";
import { formatShape } from "../../src/graph/shape.ts";
import { broadcast, Dense, map, reduce } from "./dense.ts";
import { expectClose, run } from "./run.ts";

const N = 3;
const sizes = (shape: Shape): number[] => shape.map((d) => (d === "N" ? N : d));

/** 1, 2, 3, ... */
function counting(shape: Shape): Dense {
  const resolved = sizes(shape);
  const size = resolved.reduce((a, b) => a * b, 1);
  return new Dense(
    resolved,
    Array.from({ length: size }, (_, i) => i + 1),
  );
}

/** The gradient of an array of shape `target` that was broadcast, by definition: the sum over its copies. */
function overCopies(x: Dense, target: readonly number[]): Dense {
  const skip = x.shape.length - target.length;
  const axes = x.shape.flatMap((_, axis) => (axis < skip || target[axis - skip] === 1 ? [axis] : []));
  return new Dense(target, reduce(x, axes, true, (values) => values.reduce((a, b) => a + b)).data);
}

describe("a leading batch axis stays in front where NumPy's alignment does not fit", () => {
  test.each<[string, Shape, Shape, Shape]>([
    ["a number for each row and a vector for each row", ["N"], ["N", 3], ["N", 3]],
    ["a number for each row and a matrix for each row", ["N"], ["N", 2, 3], ["N", 2, 3]],
    ["a number for each row and fixed numbers", ["N"], [3], ["N", 3]],
    ["a vector for each row and fixed vectors", ["N", 3], [4, 3], ["N", 4, 3]],
    ["a vector for each row and a matrix for each row", ["N", 3], ["N", 4, 3], ["N", 4, 3]],
  ])("%s", async (_, a, b, expected) => {
    const [x, y] = [a, b].map((shape) => counting(shape).data);
    const shapes = [a, b].map(sizes);
    /** The same product by NumPy's rule, with the axes of size 1 written out. */
    const insertAxes = (shape: Shape) =>
      shape[0] === "N" ? [N, ...new Array(expected.length - shape.length).fill(1), ...shape.slice(1)] : shape;
    const plain = await run(
      (p, q) => {
        const value = p.reshape(insertAxes(a)).mul(q.reshape(insertAxes(b)));
        const [gp, gq] = grad(value.square().sum(), [p, q]);
        return { value, gp, gq };
      },
      shapes,
      [x, y],
    );
    const batched = await run(
      (p, q) => {
        const value = p.mul(q);
        expect(value.shape).toEqual(expected);
        expect(q.mul(p).shape).toEqual(expected);
        const [gp, gq] = grad(value.square().sum(), [p, q]);
        return { value, gp, gq };
      },
      [a, b],
      [x, y],
    );
    expect(batched).toEqual(plain);
  });
});

describe("the gradient of a broadcast input is the sum over its copies", () => {
  const pairs: [Shape, Shape][] = [
    [["N", 4], [4]],
    [["N", 4], [1]],
    [["N", 4], []],
    [
      ["N", 4],
      ["N", 1],
    ],
    [
      ["N", 4],
      [1, 1],
    ],
    [
      ["N", 1],
      [1, 4],
    ],
    [["N", 1], [4]],
    [["N"], []],
    [["N"], [1]],
    [
      ["N", 2, 4],
      [2, 1],
    ],
    [
      ["N", 2, 1],
      [1, 4],
    ],
    [[2, 4], [4]],
    [[], [2, 4]],
    [
      [2, 1],
      [1, 4],
    ],
  ];
  const both = pairs.flatMap(([a, b]) => [
    [a, b],
    [b, a],
  ]);
  test.each(both.map(([a, b]) => ({ name: `${formatShape(a)} with ${formatShape(b)}`, a, b })))(
    "$name",
    async ({ a, b }) => {
      const [x, y] = [counting(a), counting(b)];
      const full = broadcast(x.shape, y.shape);
      const gradients = (combine: (a: Tensor, b: Tensor) => Tensor) => (a: Tensor, b: Tensor) => {
        const [ga, gb] = grad(combine(a, b).sum(), [a, b]);
        expect([ga.shape, gb.shape]).toEqual([a.shape, b.shape]);
        return { ga, gb };
      };
      const ones = new Dense(full, new Array(full.reduce((n, d) => n * d, 1)).fill(1));
      const stretch = (other: Dense) => map((one, value) => one * value, ones, other);

      const sum = await run(
        gradients((a, b) => a.add(b)),
        [a, b],
        [x.data, y.data],
      );
      expect(sum).toEqual({
        ga: [...overCopies(ones, x.shape).data],
        gb: [...overCopies(ones, y.shape).data],
      });

      const product = await run(
        gradients((a, b) => a.mul(b)),
        [a, b],
        [x.data, y.data],
      );
      expect(product).toEqual({
        ga: [...overCopies(stretch(y), x.shape).data],
        gb: [...overCopies(stretch(x), y.shape).data],
      });

      const chosen = await run(
        gradients((a, b) => a.maximum(b)),
        [a, b],
        [x.data, y.data],
      );
      const first = map((p, q) => +(p >= q), x, y);
      expect(chosen).toEqual({
        ga: [...overCopies(first, x.shape).data],
        gb: [
          ...overCopies(
            map((f) => 1 - f, first),
            y.shape,
          ).data,
        ],
      });
    },
  );
});

describe("a gradient that is not expanded is multiplied by the number of copies", () => {
  const cases: [string, Shape, (s: Tensor, x: Tensor) => Tensor, number][] = [
    ["sum of x + s", [], (s, x) => x.add(s).sum(), N * 4],
    ["mean of x + s", [], (s, x) => x.add(s).mean(), 1],
    ["sum of a broadcast", [], (s) => s.broadcastTo(["N", 4]).sum(), N * 4],
    ["sum of a broadcast of [1]", [1], (s) => s.broadcastTo(["N", 4]).sum(), N * 4],
    ["sum of a broadcast of [1, 1] along one axis", [1, 1], (s) => s.broadcastTo([1, 4]).sum(), 4],
    ["two broadcasts", [1], (s) => s.broadcastTo([4, 1]).broadcastTo(["N", 4, 1]).sum(), N * 4],
    ["x - s in two steps", [], (s, x) => x.sub(s).add(s.mul(3)).sum(), 2 * N * 4],
    ["sum over N, then over the rest", [], (s, x) => x.add(s).sum(0).sum(), N * 4],
    ["mean over N, then sum", [], (s, x) => x.add(s).mean(0).sum(), 4],
    ["sum over columns, then mean over N", [], (s, x) => x.add(s).sum(1).mean(), 4],
    ["a choice", [], (s, x) => x.greater(2.5).where(s, x).sum(), N * 4 - 2],
  ];
  test.each(cases)("%s", async (_, shape, build, expected) => {
    const { g } = await run(
      (s, x) => ({ g: grad(build(s, x), [s])[0] }),
      [shape, ["N", 4]],
      [[0.5], counting(["N", 4]).data],
    );
    expect(g).toEqual([expected]);
  });

  test("the gradient of a sum of squares has no broadcastTo", () => {
    const x = input("x", ["N", 4]);
    const shift = input("shift", [4]);
    const loss = x.sub(shift).square().sum(1).mean();
    const text = printGraph(buildGraph([x, shift], { g: grad(loss, [shift])[0] }));
    expect(text).not.toContain("broadcastTo");
  });
});

test("the gradient of a mean over N is divided by the number of rows", async () => {
  const x = counting(["N", 2]);
  const { g, h } = await run(
    (x) => {
      const [g] = grad(x.square().mean(0).sum(), [x]);
      return { g, h: grad(g.square().mean(), [x])[0] };
    },
    [["N", 2]],
    [x.data],
  );
  expectClose(
    g,
    x.data.map((v) => (2 * v) / N),
  );
  expectClose(
    h,
    x.data.map((v) => ((2 / N) * 2 * ((2 * v) / N)) / (2 * N)),
  );
});

describe("vjp", () => {
  test("is 0, in the shape of the input, if the outputs do not depend on it", async () => {
    const result = await run(
      (x, unused, stopped) => {
        const y = x.mul(stopped.stopGradient()).sum();
        const [gx, gu, gs] = grad(y, [x, unused, stopped]);
        expect([gu.shape, gs.shape]).toEqual([["N", 2], [2]]);
        return { gx, gu, gs };
      },
      [["N", 2], ["N", 2], [2]],
      [
        [1, 2, 3, 4],
        [5, 6, 7, 8],
        [9, 10],
      ],
    );
    expect(result).toEqual({ gx: [9, 10, 9, 10], gu: [0, 0, 0, 0], gs: [0, 0] });
  });

  test("sums over all uses of an input", async () => {
    const x = [0.5, -1.5];
    const { g } = await run(
      (x) => {
        const y = x
          .mul(x)
          .mul(x)
          .add(x.matmul(constant([1, 2, 3, 4], [2, 2])))
          .add(x)
          .sub(x.sum());
        return { g: grad(y.sum(), [x])[0] };
      },
      [[1, 2]],
      [x],
    );
    expectClose(g, [3 * x[0] ** 2 + 3 + 1 - 2, 3 * x[1] ** 2 + 7 + 1 - 2]);
  });

  test("differentiates with respect to an intermediate tensor", async () => {
    const { g, outer } = await run(
      (x) => {
        const middle = x.exp();
        const [g, outer] = grad(middle.square().sum(), [middle, x]);
        return { g, outer };
      },
      [[2]],
      [[0.5, 1]],
    );
    expectClose(g, [2 * Math.exp(0.5), 2 * Math.exp(1)]);
    expectClose(outer, [2 * Math.exp(1), 2 * Math.exp(2)]);
  });

  test("sums over several outputs", async () => {
    const { g } = await run(
      (x, c) => ({ g: vjp([x.square(), x.sum(1), x], [x], [c, scalar(10), scalar(100)])[0] }),
      [
        ["N", 2],
        ["N", 2],
      ],
      [
        [1, 2, 3, 4],
        [1, 1, 2, 2],
      ],
    );
    expect(g).toEqual([112, 114, 122, 126]);
  });

  test("of an output that is an input is the cotangent, broadcast to its shape", async () => {
    const { g } = await run((x) => ({ g: vjp([x], [x], [scalar(3)])[0] }), [["N", 2]], [[1, 2, 3, 4]]);
    expect(g).toEqual([3, 3, 3, 3]);
  });
});

test("valueAndGrad returns the value and the gradients", async () => {
  const result = await run(
    (x, y) => {
      const [value, gx, gy] = valueAndGrad(x.mul(y).sum(), [x, y]);
      return { value, gx, gy };
    },
    [["N"], []],
    [[1, 2, 3], [4]],
  );
  expect(result).toEqual({ value: [24], gx: [4, 4, 4], gy: [6] });
});

describe("jacobian", () => {
  test("of a cumulative sum of squares is triangular in each row", async () => {
    const { j } = await run(
      (x) => ({ j: jacobian(x.square().cumsum(1), x) }),
      [["N", 3]],
      [[1, 2, 3, 4, 5, 6]],
    );
    expect(j).toEqual([2, 0, 0, 2, 4, 0, 2, 4, 6, 8, 0, 0, 8, 10, 0, 8, 10, 12]);
  });

  test("of a linear map is its matrix, without a batch axis", async () => {
    const { j } = await run(
      (x, a) => ({ j: jacobian(a.matmul(x.reshape([2, 1])).reshape([3]), x) }),
      [[2], [3, 2]],
      [
        [7, 8],
        [1, 2, 3, 4, 5, 6],
      ],
    );
    expect(j).toEqual([1, 2, 3, 4, 5, 6]);
  });
});

describe("gradients at ties and jumps", () => {
  test.each<[string, (x: Tensor) => Tensor, number[], number[]]>([
    ["max shares", (x) => x.max(), [1, 3, 3, 2], [0, 0.5, 0.5, 0]],
    ["maximum prefers the first", (x) => x.maximum(x.stopGradient()), [1, 2], [1, 1]],
    ["minimum prefers the first", (x) => x.stopGradient().minimum(x), [1, 2], [0, 0]],
    ["clip passes its bounds", (x) => x.clip(-1, 2), [-1.5, -1, 0, 2, 2.5], [0, 1, 1, 1, 0]],
    ["a power of 0 is flat, also at 0", (x) => x.power(0), [0, 1, 2], [0, 0, 0]],
    ["powers are differentiated one by one", (x) => x.power(constant([0, 1, 2], [3])), [0, 0, 2], [0, 1, 4]],
    ["relu is off at 0", (x) => x.relu(), [-1, 0, 1], [0, 0, 1]],
    ["leakyRelu leans at 0", (x) => x.leakyRelu(0.25), [-1, 0, 1], [0.25, 0.25, 1]],
    ["abs is flat at 0", (x) => x.abs(), [-1, 0, 1], [-1, 0, 1]],
    ["elu is smooth at 0", (x) => x.elu(), [0], [1]],
    [
      "sign, step, floor and comparisons are flat",
      (x) => x.sign().add(x.step()).add(x.floor()).add(x.less(1).toFloat()),
      [0, 0.5, 1],
      [0, 0, 0],
    ],
    [
      "a logarithm that is not selected is infinitely steep at 0",
      (x) => x.greater(0).where(x.log(), 0),
      [0, 2],
      [Number.NaN, 0.5],
    ],
    [
      "a logarithm whose argument is replaced is flat",
      (x) => x.greater(0).where(x.greater(0).where(x, 1).log(), 0),
      [0, 2],
      [0, 0.5],
    ],
    ["stopGradient stops", (x) => x.stopGradient().mul(x), [2, 3], [2, 3]],
  ])("%s", async (_, build, x, expected) => {
    const { g } = await run((x) => ({ g: grad(build(x).sum(), [x])[0] }), [[x.length]], [x]);
    expect(g).toEqual(expected);
  });
});

test("the gradient of a gather from a long axis is 1 at the positions that it selects", async () => {
  const size = 200_000;
  const { g } = await run(
    (x) => ({ g: grad(x.gather(0, [1, 2]).sum(), [x])[0] }),
    [[size]],
    [new Float64Array(size)],
  );
  expect(g.slice(0, 5)).toEqual([0, 1, 1, 0, 0]);
  expect(g.reduce((a, b) => a + b)).toBe(2);
});
