import { describe, expect, test } from "vitest";
import { Tails } from "../../src/bijections/index.ts";
import { grad } from "../../src/graph/grad.ts";
import type { Precision } from "../../src/onnx/export.ts";
import { compile } from "../../src/runtime/compile.ts";
import { nextFloat } from "./extremes.ts";
import { expectClose } from "./invariants.ts";

const tails = new Tails({ features: 1, start: 4 });

const evaluate = (x: readonly number[], precision: Precision = "float64") =>
  compile(
    (x) => {
      const { value, logDet } = tails.inverse(x);
      const data = tails.forward(x);
      return {
        z: value,
        logDet,
        slope: grad(value.sum(), [x])[0],
        logDetGradient: grad(logDet.sum(), [x])[0],
        x: data.value,
        dataLogDet: data.logDet,
        dataSlope: grad(data.value.sum(), [x])[0],
      };
    },
    [["N", 1]],
    { precision },
  )(x);

describe("Tails", () => {
  test("is the identity for |x| <= c and a logarithm beyond", async () => {
    const x = [-1e30, -100, -5, -4, -1, 0, 2, 4, 4.5, 1e6];
    const { z, logDet, slope } = await evaluate(x);
    const beyond = x.map((v) => Math.max(0, Math.abs(v) - 4));
    expectClose(
      z,
      x.map((v, i) => (beyond[i] > 0 ? Math.sign(v) * (4 + Math.log1p(beyond[i])) : v)),
      1e-14,
      "z",
    );
    expectClose(
      slope,
      beyond.map((b) => 1 / (1 + b)),
      1e-14,
      "slope",
    );
    expectClose(
      logDet,
      beyond.map((b) => -Math.log1p(b)),
      1e-14,
      "log-det",
    );
  });

  test.each(["float32", "float64"] as const)(
    "has slope 1 at 0 and at its start, in %s",
    async (precision) => {
      const corners = [4, -4].flatMap((c) => [nextFloat(c, -1, precision), c, nextFloat(c, 1, precision)]);
      const { z, slope, dataSlope, logDetGradient } = await evaluate([0, -0, ...corners], precision);
      expectClose(z, [0, -0, ...corners], 1e-6, "z");
      expectClose([...slope, ...dataSlope], new Array(16).fill(1), 1e-6, "slope");
      expect([...logDetGradient.subarray(0, 2)]).toEqual([0, 0]);
    },
  );

  test("an outlier at a million standard deviations costs the nats that the documentation says", async () => {
    const { z, logDet } = await evaluate([1e6]);
    expect(0.5 * z[0] ** 2 - logDet[0]).toBeGreaterThan(140);
    expect(0.5 * z[0] ** 2 - logDet[0]).toBeLessThan(180);
  });

  test("samples from extreme latent values do not overflow", async () => {
    const { x, dataLogDet, dataSlope } = await evaluate([12, 80, 90, 1e30, -1e30], "float32");
    expect([...x, ...dataLogDet, ...dataSlope].every(Number.isFinite)).toBe(true);
    expect(x[0]).toBeCloseTo(4 + Math.expm1(8), 1);
    expect(x[3]).toBeGreaterThan(1e34);
    expect(x[4]).toBe(-x[3]);
  });
});
