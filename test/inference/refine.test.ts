import { expect, test } from "vitest";
import { StandardNormal } from "../../src/distributions/index.ts";
import { Flow } from "../../src/flows/index.ts";
import { describeNonFinite } from "../../src/inference/describePoint.ts";
import { model, real } from "../../src/inference/index.ts";
import { centralPoint, refineByNuts } from "../../src/inference/refine.ts";
import { independenceChains } from "../../src/inference/sampling/independence.ts";
import { Random, RandomStream } from "../../src/random/index.ts";

test("the example of diverging trajectories is where most of them diverged", () => {
  const points = [
    [-3.1, 0.1],
    [-3, 0],
    [4, 5],
    [-2.8, -0.2],
    [-3.2, 0.3],
  ];
  expect(centralPoint(points.map((point) => Float64Array.from(point)))).toEqual(Float64Array.of(-3, 0));
  expect(centralPoint([Float64Array.of(1, 2)])).toEqual(Float64Array.of(1, 2));
});

test("with WebGPU, which has no float64, the CPU computes chains and descriptions", async () => {
  const engine = { providers: ["webgpu"] };
  await using flow = new Flow(new StandardNormal({ features: 1 }));
  const settings = { warmUp: 20, draws: 10, targetAcceptance: 0.8, maxDepth: 3 };
  const starts = [Float64Array.of(0), Float64Array.of(1)];
  const random = new Random(0);
  const { rows } = await refineByNuts(flow, (x) => flow.logProb(x), starts, settings, random, engine);
  expect(rows.length).toBe(20);
  const root = model({ a: real() }, ({ a }) => a.sqrt());
  expect(await describeNonFinite(root, Float64Array.of(-1), engine)).toBe("the log-density is NaN");
});

test("chains of independence proposals visit no draw of weight 0", () => {
  const { NEGATIVE_INFINITY: zero } = Number;
  const logWeights = Float64Array.of(zero, zero, -1, -2, zero, -1, zero, 0);
  const [first, second] = independenceChains(logWeights, 2, new RandomStream(new Random(0)));
  expect([...first]).toEqual([2, 2, 2, expect.any(Number)]);
  for (const i of [...first, ...second]) expect(logWeights[i]).not.toBe(zero);
});
