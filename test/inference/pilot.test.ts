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
const texts = {
  point: async (position: Float64Array) => `x = ${position[0].toPrecision(2)}`,
  nonFinite: async () => "the log-density is -Infinity",
};

describe("pilot chains", () => {
  test("find the mean and the standard deviation", async () => {
    const { map, ends, rows } = await runPilot(evaluatorOf(normal), 1, 8, new Random(0), texts);
    expect(map.center[0]).toBeCloseTo(0, 1);
    expect(Math.abs(map.lower[0] / 0.1 - 1)).toBeLessThan(0.15);
    expect(ends).toHaveLength(8);
    expect(rows.length).toBeGreaterThan(500);
  });

  test("leave out chains that are stuck, as where a recursion overflows", async () => {
    const steep = evaluatorOf((x) => (x > 1 ? [-1e40 * x, -1e40] : normal(x)));
    const { map, ends } = await runPilot(steep, 1, 8, new Random(0), texts);
    expect(Math.abs(map.center[0])).toBeLessThan(0.03);
    expect(Math.abs(map.lower[0] / 0.1 - 1)).toBeLessThan(0.15);
    for (const end of ends) expect(Math.abs(end[0])).toBeLessThan(0.6);
  });

  test("say that a density has no finite integral, or no maximum", async () => {
    const flat = evaluatorOf(() => [0, 0]);
    await expect(runPilot(flat, 1, 8, new Random(0), texts)).rejects.toThrow(
      /^the density does not seem to have a finite integral: expected pilot chains that converge, received chains that moved .* times as far as in the run before, for example to x = /,
    );
    const rising = evaluatorOf((x) => [x * x, 2 * x]);
    await expect(runPilot(rising, 1, 8, new Random(0), texts)).rejects.toThrow(
      /^the log-density seems to be unbounded above: .* a log-density that rose from .* to .*, for example to x = /,
    );
    // A Cauchy distribution far from the starts has heavy tails, but a finite integral.
    const far = evaluatorOf((x) => [-Math.log1p((x - 50) ** 2), (-2 * (x - 50)) / (1 + (x - 50) ** 2)]);
    const { map } = await runPilot(far, 1, 8, new Random(0), texts);
    expect(Math.abs(map.center[0] - 50)).toBeLessThan(20);
  });

  test("start again where the density is not finite, and say where it is not at any start", async () => {
    const half = evaluatorOf((x) => (x > 0 ? [-50 * x * x, -100 * x] : [Number.NaN, Number.NaN]));
    const { ends } = await runPilot(half, 1, 8, new Random(0), texts);
    for (const end of ends) expect(end[0]).toBeGreaterThan(0);
    const nowhere = evaluatorOf(() => [Number.NEGATIVE_INFINITY, 0]);
    await expect(runPilot(nowhere, 1, 8, new Random(0), texts)).rejects.toThrowErrorMatchingInlineSnapshot(`
      [PushforwardError: the log-density or its gradient is not finite at nearly all random starts: expected 8 finite starts, received 0 of 800; the log-density is -Infinity at x = -1.3: the log-density is -Infinity.
      The density must be positive for all values that the constraints allow: declare bounds by constraints.]
    `);
  });
});
