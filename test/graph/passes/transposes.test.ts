import { describe, expect, test } from "vitest";
import { buildGraph, concat, constant, input, type Tensor, vjp } from "../../../src/graph/index.ts";
import { absorbTransposes } from "../../../src/graph/passes/transposes.ts";
import { Random } from "../../../src/random/index.ts";
import { compile, type Floats } from "../../../src/runtime/index.ts";
import { expectClose, layer, parameter } from "../run.ts";

const x = input("x", ["N", 3]);

/** The operations that remain, without constants and parameters. */
function remaining(output: Tensor): string {
  const rewrite = (outputs: readonly Tensor[]) => absorbTransposes(outputs);
  const { nodes } = buildGraph([x], { output: output.max() }, { rewrite });
  return nodes
    .filter(({ inputs, operation }) => inputs.length > 0 && operation.name !== "reshape")
    .map(({ operation: { name }, shape }) => `${name} [${shape}]`)
    .join(", ");
}

describe("transposes are absorbed", () => {
  test("by products, through slices, concatenations and gathers", () => {
    const [a, b] = [layer(x, 4), layer(x, 5)];
    const cut = concat([a.slice(1, 0, 2), b.slice(1, 1, 3)], 1).transpose();
    expect(remaining(cut)).toBe("affine [4,N], affine [5,N], slice [2,N], slice [2,N], concat [4,N], max []");
    const chosen = a.gather(1, [3, 1, 1]).transpose();
    expect(remaining(chosen)).toBe("affine [4,N], gather [3,N], max []");
    expect(remaining(x.matmul(parameter(3, 4)).transpose())).toBe("matmul [4,N], max []");
  });

  test("by sums of products, through elementwise operations", () => {
    const sum = x.affine(parameter(3, 4), layer(x, 4)).transpose();
    expect(remaining(sum)).toBe("affine [4,N], affine [4,N], max []");
    expect(remaining(layer(x, 4).mul(2).add(1).transpose())).toBe(
      "affine [4,N], mul [4,N], add [4,N], max []",
    );
  });

  test("only if the matrix itself is not read", () => {
    const a = layer(x, 4);
    const both = a
      .exp()
      .sum()
      .add(a.transpose().mul(parameter(4, 1)).sum());
    expect(remaining(both)).toContain("affine [N,4]");
    expect(remaining(a.mul(parameter(4)).transpose())).toBe(
      "affine [N,4], mul [N,4], transpose [4,N], max []",
    );
  });

  test("by sums over the other axis and by factors of products, and pairs of transposes cancel", () => {
    const transposed = x.transpose().softmax(0);
    const back = transposed.transpose();
    expect(remaining(back.sum(1))).toBe("transpose [3,N], softmax [3,N], sum [N], max []");
    expect(remaining(layer(back, 2))).toBe("transpose [3,N], softmax [3,N], affine [N,2], max []");
    expect(remaining(back.contractLeading(x))).toBe("transpose [3,N], softmax [3,N], matmul [3,3], max []");
    expect(remaining(x.transpose().mul(2).transpose())).toBe("mul [N,3], max []");
    expect(remaining(x.exp().transpose().transpose().log())).toBe("exp [N,3], log [N,3], max []");
  });
});

const rows = [1, 2, 7];
const given = (size: number): Float64Array => new Random(1).split(`x${size}`).normal(new Float64Array(size));

/** The same numbers with rows first and with features first. */
const layouts: Record<string, readonly [(x: Tensor) => Tensor, (x: Tensor) => Tensor]> = {
  layers: [
    (x) => layer(layer(x, 4).mul(2).tanh(), 2),
    (x) => layer(layer(x, 4).transpose().mul(2).tanh().transpose(), 2),
  ],
  "a sum over bins": [
    (x) => layer(x, 6).reshape(["N", 3, 2]).exp().sum(-1).add(x),
    (x) => layer(x, 6).transpose().reshape([3, 2, "N"]).exp().sum(1).add(x.transpose()).transpose(),
  ],
  "numbers for all rows": [
    (x) => x.mul(parameter(3)).add(x.mean(1, { keepAxes: true })),
    (x) =>
      x
        .transpose()
        .mul(parameter(3).reshape([3, 1]))
        .add(x.transpose().mean(0, { keepAxes: true }))
        .transpose(),
  ],
  copies: [
    (x) => x.slice(1, 0, 1).broadcastTo(["N", 2]).mul(parameter(2)),
    (x) =>
      x
        .transpose()
        .slice(0, 0, 1)
        .broadcastTo([2, "N"])
        .mul(parameter(2).reshape([2, 1]))
        .transpose(),
  ],
  "a sum of parts": [
    (x) => x.affine(parameter(3, 4), layer(x, 4)).gather(1, [2, 0]),
    (x) => x.affine(parameter(3, 4), layer(x, 4)).transpose().gather(0, [2, 0]).transpose(),
  ],
};

describe.each(Object.entries(layouts))("features first, %s", (_, [plain, transposed]) => {
  test.each([
    { precision: "float32" },
    { precision: "float64", embedParameters: true },
    { precision: "float64", batch: 7 },
  ] as const)("give the same results and gradients, with %o", async (options) => {
    const withGradient = (build: (x: Tensor) => Tensor) => (x: Tensor) => {
      const y = build(x);
      return { y, g: vjp([y], [x], [y.square()])[0] };
    };
    const [expected, received] = [plain, transposed].map((build) =>
      compile(withGradient(build), [["N", 3]], options),
    );
    for (const count of rows.filter((n) => !("batch" in options) || n === options.batch)) {
      const [a, b]: Readonly<Record<string, Floats>>[] = [
        await expected(given(3 * count)),
        await received(given(3 * count)),
      ];
      for (const name of ["y", "g"])
        expectClose(b[name], a[name], options.precision === "float32" ? 1e-5 : 1e-12);
    }
  });
});

test("constants of any rank are transposed when the graph is written", async () => {
  const values = Float64Array.from({ length: 24 }, (_, i) => i);
  const c = constant(values, [2, 3, 4]);
  for (const order of [
    [0, 1, 2],
    [2, 0, 1],
    [1, 2, 0],
    [0, 2, 1],
    [2, 1, 0],
  ]) {
    const moved = compile((x) => c.transpose(order).reshape([24]).add(x.sum()), [[1]], {
      embedParameters: true,
    });
    const computed = compile((x) => c.add(x.sum()).transpose(order).reshape([24]), [[1]]);
    expect(Array.from(await moved([0]))).toEqual(Array.from(await computed([0])));
  }
});

test("a product is not transposed if its summand is also a factor", async () => {
  const build = (x: Tensor) => {
    const h = layer(x, 3);
    return h.affine(parameter(3, 3), h).transpose().softmax(0).transpose();
  };
  const plain = (x: Tensor) => {
    const h = layer(x, 3);
    return h.affine(parameter(3, 3), h).softmax(1);
  };
  const [received, expected] = [build, plain].map((each) =>
    compile(each, [["N", 3]], { precision: "float64" }),
  );
  expectClose(await received(given(6)), await expected(given(6)), 1e-12);
});

test("a bias may be broadcast over the columns", async () => {
  const build = (isTransposed: boolean) => (x: Tensor) => {
    const y = x.affine(parameter(3, 2), x.exp().sum(1, { keepAxes: true }));
    const squared = isTransposed ? y.transpose().square().transpose() : y.square();
    return { y: squared, g: vjp([squared], [x], [squared])[0] };
  };
  const [received, expected] = [true, false].map((isTransposed) =>
    compile(build(isTransposed), [["N", 3]], { precision: "float64" }),
  );
  const [a, b] = [await received(given(6)), await expected(given(6))];
  for (const name of ["y", "g"] as const) expectClose(a[name], b[name], 1e-12);
  const flat = await compile(
    (x) =>
      x
        .matmul(parameter(3, 2))
        .add(x.exp().sum(1, { keepAxes: true }))
        .square(),
    [["N", 3]],
    { precision: "float64" },
  )(given(6));
  expectClose(a.y, flat, 1e-12);
});
