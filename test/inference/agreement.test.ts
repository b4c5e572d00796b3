import { describe, expect, test } from "vitest";
import { findDisagreement } from "../../src/inference/agreement.ts";
import { Random } from "../../src/random/index.ts";

const [N, CHAINS] = [4000, 8];
const normal = (seed: string) => new Random(0).split(seed).normal(new Float64Array(2 * N));

/** Draws of N(0, 1.2^2 I), with weights that make them draws of N(0, I). */
function weighted() {
  const samples = normal("weighted").map((z) => 1.2 * z);
  const logRatios = Float64Array.from({ length: N }, (_, i) => {
    const squares = samples[2 * i] ** 2 + samples[2 * i + 1] ** 2;
    return -0.5 * squares * (1 - 1 / 1.44);
  });
  const logSum = Math.log(logRatios.reduce((sum, r) => sum + Math.exp(r), 0));
  return { samples, logWeights: logRatios.map((r) => r - logSum) };
}

describe("chains and weighted draws", () => {
  test("agree within their errors if they have the same distribution", () => {
    expect(findDisagreement(normal("chains"), CHAINS, weighted())).toBeUndefined();
  });

  test("disagree if one has another center, another scale, or a tail that is cut off", () => {
    const rows = normal("chains");
    const ofSecond = (change: (x: number) => number) => rows.map((x, k) => (k % 2 === 1 ? change(x) : x));
    const shifted = findDisagreement(
      ofSecond((x) => x + 0.15),
      CHAINS,
      weighted(),
    );
    expect(shifted?.coordinate).toBe(1);
    expect(shifted?.standardErrors).toBeGreaterThan(4);
    const wider = findDisagreement(
      ofSecond((x) => 1.3 * x),
      CHAINS,
      weighted(),
    );
    expect(wider?.coordinate).toBe(1);
    const cut = findDisagreement(
      ofSecond((x) => (x < -1.3 ? -x : x)),
      CHAINS,
      weighted(),
    );
    expect(cut).toMatchObject({ coordinate: 1 });
    expect(cut!.weighted - cut!.chains).toBeGreaterThan(0.03);
  });

  test("are not compared in a coordinate that is constant", () => {
    const constant = {
      samples: new Float64Array(2 * N).fill(1),
      logWeights: new Float64Array(N).fill(-Math.log(N)),
    };
    expect(findDisagreement(new Float64Array(2 * N).fill(1), CHAINS, constant)).toBeUndefined();
  });
});
