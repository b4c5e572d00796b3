import { describe, expect, test } from "vitest";
import { runPilot } from "../../src/inference/pilot.ts";
import type { EvaluatedRows } from "../../src/inference/sampling/chainProgram.ts";
import { Random } from "../../src/random/index.ts";

/** Evaluates a density of one number with its derivative. */
const evaluatorOf =
  (density: (x: number) => readonly [logDensity: number, derivative: number]) =>
  async (rows: Float64Array): Promise<EvaluatedRows> => {
    const points = Array.from(rows, density);
    return {
      logDensity: Float64Array.from(points, ([value]) => value),
      gradient: Float64Array.from(points, ([, derivative]) => derivative),
      logProposal: new Float64Array(rows.length),
    };
  };

const normal = (x: number) => [-0.5 * (x / 0.1) ** 2, -x / 0.01] as const;
const describePoint = async (position: Float64Array) => `x = ${position[0].toFixed(1)}`;

describe("pilot chains", () => {
  test("find the mean and the standard deviation", async () => {
    const { map, ends, rows } = await runPilot(evaluatorOf(normal), 1, 8, new Random(0), describePoint);
    expect(map.center[0]).toBeCloseTo(0, 1);
    expect(Math.abs(map.lower[0] / 0.1 - 1)).toBeLessThan(0.15);
    expect(ends).toHaveLength(8);
    expect(rows.length).toBeGreaterThan(500);
  });

  test("leave out chains that are stuck, as where a recursion overflows", async () => {
    const steep = evaluatorOf((x) => (x > 1 ? [-1e40 * x, -1e40] : normal(x)));
    const { map, ends } = await runPilot(steep, 1, 8, new Random(0), describePoint);
    expect(Math.abs(map.center[0])).toBeLessThan(0.03);
    expect(Math.abs(map.lower[0] / 0.1 - 1)).toBeLessThan(0.15);
    for (const end of ends) expect(Math.abs(end[0])).toBeLessThan(0.6);
  });

  test("start again where the density is not finite, and say where it is not at any start", async () => {
    const half = evaluatorOf((x) => (x > 0 ? [-50 * x * x, -100 * x] : [Number.NaN, Number.NaN]));
    const { ends } = await runPilot(half, 1, 8, new Random(0), describePoint);
    for (const end of ends) expect(end[0]).toBeGreaterThan(0);
    const nowhere = evaluatorOf(() => [Number.NEGATIVE_INFINITY, 0]);
    await expect(
      runPilot(nowhere, 1, 8, new Random(0), describePoint),
    ).rejects.toThrowErrorMatchingInlineSnapshot(`
      [PushforwardError: the log-density or its gradient is not finite at most random starts: expected 8 finite starts, received 0 of 800; the log-density is -Infinity at x = -1.3.
      The density must be positive for all values that the constraints allow: declare bounds by constraints.]
    `);
  });
});
