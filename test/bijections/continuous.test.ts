import { expect, test } from "vitest";
import { Continuous } from "../../src/bijections/index.ts";
import { Random } from "../../src/random/index.ts";
import { compile } from "../../src/runtime/index.ts";

test("a linear field is the exponential of its matrix, and its log-det the trace", async () => {
  const continuous = new Continuous({ features: 2, frequencies: 1, network: { hidden: [] } }, new Random(0));
  const [layer] = continuous.network.layers;
  // dy/dt = y A with A = [[a, b], [-b, a]]: growth by exp(a) and a turn by b. The other rows are those of sin and cos.
  const [a, b] = [0.3, 1.1];
  layer.weight.value = Float64Array.of(a, b, -b, a, 0, 0, 0, 0);
  const run = compile(
    (z) => {
      const { value, logDet } = continuous.forward(z);
      return { value, logDet };
    },
    [["N", 2]],
    { precision: "float64" },
  );
  const z = [1, 0, 0, 2, -0.5, 0.7];
  const { value, logDet } = await run(z);
  for (let r = 0; r < 3; r++) {
    const [p, q] = z.slice(2 * r);
    expect(value[2 * r]).toBeCloseTo(Math.exp(a) * (Math.cos(b) * p - Math.sin(b) * q), 10);
    expect(value[2 * r + 1]).toBeCloseTo(Math.exp(a) * (Math.sin(b) * p + Math.cos(b) * q), 10);
    expect(logDet[r]).toBeCloseTo(2 * a, 10);
  }
});
