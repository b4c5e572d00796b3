import { expect, test } from "vitest";
import { LULinear } from "../../src/bijections/index.ts";
import { invertLower } from "../../src/bijections/triangles.ts";
import { Random } from "../../src/random/index.ts";
import { compile } from "../../src/runtime/compile.ts";
import { expectClose } from "./invariants.ts";

test("z = x L U + b", async () => {
  const linear = new LULinear({ features: 2 });
  // The parameters outside the strict triangles (9) have no influence.
  linear.lower.value = Float64Array.of(9, 9, 3, 9);
  linear.upper.value = Float64Array.of(9, 5, 9, 9);
  linear.logDiagonal.value = Float64Array.of(Math.log(2), Math.log(4));
  linear.bias.value = Float64Array.of(0.5, -1);
  const run = compile(
    (x) => {
      const { value, logDet } = linear.inverse(x);
      return [value, logDet];
    },
    [["N", 2]],
    { precision: "float64" },
  );
  const [value, logDet] = await run([1, 0, 0, 1]);
  // L = [1 0; 3 1], U = [2 5; 0 4]
  expectClose(value, [2.5, 4, 6.5, 18], 1e-14, "z");
  expect(logDet[0]).toBeCloseTo(Math.log(8), 12);
});

test("a lower triangle times its inverse is the identity", async () => {
  const D = 6;
  const lower = new Random(1)
    .normal(new Float64Array(D * D))
    .map((v, i) => (i % (D + 1) === 0 ? 1 + v * v : v));
  const run = compile((a) => a.lowerTriangle().matmul(invertLower(a.lowerTriangle())), [[D, D]], {
    precision: "float64",
  });
  const identity = Array.from({ length: D * D }, (_, i) => (i % (D + 1) === 0 ? 1 : 0));
  expectClose(await run(lower), identity, 1e-12, "A A^-1");
});
