import { expect, test } from "vitest";
import { BlockAutoregressive } from "../../src/bijections/index.ts";
import { StandardNormal } from "../../src/distributions/index.ts";
import { Flow } from "../../src/flows/index.ts";
import { jacobian } from "../../src/graph/index.ts";
import { parametersOf } from "../../src/nn/module.ts";
import { Random } from "../../src/random/index.ts";
import { compile } from "../../src/runtime/index.ts";
import { integral, lineRule, square } from "../mathematics/quadrature.ts";
import { perturb } from "../nn/perturb.ts";

const trained = (features: number, scale = 1) => {
  const bijection = new BlockAutoregressive({ features, units: 4 }, new Random(0));
  perturb(parametersOf(bijection), scale);
  return bijection;
};

test("output i depends on all features up to i and on no others", async () => {
  const bijection = trained(4);
  const run = compile((x) => jacobian(bijection.inverse(x).value, x), [["N", 4]], { precision: "float64" });
  const matrices = await run(new Random(1).normal(new Float64Array(40)));
  matrices.forEach((value, k) => {
    const [i, j] = [Math.floor(k / 4) % 4, k % 4];
    if (j > i) expect(value).toBe(0);
    else if (j === i) expect(value).toBeGreaterThan(0);
    else expect(value).not.toBe(0);
  });
});

test("the slope without the scale lies between 1 and exp(r)", async () => {
  const bijection = trained(1, 3);
  for (const gate of [5, -5]) {
    bijection.gate.value = new Float64Array([gate]);
    bijection.logScale.value = new Float64Array([0]);
    const run = compile((x) => bijection.inverse(x).logDet, [["N", 1]], { precision: "float64" });
    const clamped = gate / (1 + Math.abs(gate) / Math.log(1000));
    const logSlopes = await run(Array.from({ length: 2001 }, (_, i) => (i - 1000) / 50));
    const [min, max] = [Math.min(...logSlopes), Math.max(...logSlopes)];
    expect(Math.min(min, 0)).toBeGreaterThanOrEqual(Math.min(clamped, 0) - 1e-12);
    expect(Math.max(max, 0)).toBeLessThanOrEqual(Math.max(clamped, 0) + 1e-12);
    // At large |x| the tanh units are saturated.
    expect(logSlopes[0]).toBeCloseTo(0, 3);
  }
});

test("the density integrates to 1", async () => {
  const flow = new Flow(new StandardNormal({ features: 2 }), trained(2, 0.5));
  const { rows, weights } = square(lineRule(301, 40));
  const logProb = await flow.logProb(rows, undefined, { precision: "float64", threads: 1 });
  expect(integral(logProb, weights)).toBeCloseTo(1, 4);
});
