import { expect, test } from "vitest";
import { RealNVPCoupling } from "../../src/bijections/index.ts";
import { Random } from "../../src/random/index.ts";
import { applyDirection, setParameters } from "./apply.ts";
import { expectClose } from "./invariants.ts";

test("z = x exp(λ tanh(s)) + t with a network for s, one for t, and a λ for each feature", async () => {
  const mask = [false, true, false];
  const map = new RealNVPCoupling({ mask, network: { hidden: [] } }, new Random(0));
  expect(map.scale).not.toBe(map.shift);
  setParameters(map, {
    "scale.layers.0.weight": [0.5, -2],
    "scale.layers.0.bias": [0.1, 0],
    "shift.layers.0.weight": [3, 1],
    "shift.layers.0.bias": [0, -1],
  });
  // The initial λ is 1; the second one is set to a huge number, which is clamped to about log 1000.
  map.bound.value = Float64Array.of(map.bound.value[0], 1e12);
  const [a, b, c] = [0.7, -0.4, 2];
  const { value, logDet } = await applyDirection(map, "inverse", [a, b, c]);
  const scales = [Math.tanh(0.5 * b + 0.1), Math.log(1000) * Math.tanh(-2 * b)];
  expectClose(value, [a * Math.exp(scales[0]) + 3 * b, b, c * Math.exp(scales[1]) + b - 1], 1e-6, "z");
  expect(logDet[0]).toBeCloseTo(scales[0] + scales[1], 6);
});
