import { describe, expect, test } from "vitest";
import {
  massWindows,
  StepSizeAdaptation,
  VarianceEstimate,
} from "../../../src/inference/sampling/adaptation.ts";
import { type EvaluatedRows, type Point, runChains } from "../../../src/inference/sampling/chainProgram.ts";
import { bulkEffectiveSampleSize } from "../../../src/inference/sampling/convergence.ts";
import { energyOf, leapfrog, type State } from "../../../src/inference/sampling/nuts.ts";
import { nutsChain } from "../../../src/inference/sampling/nutsChain.ts";
import { sampleNuts } from "../../../src/inference/sampling/sampleNuts.ts";
import { mean } from "../../../src/numerics/mean.ts";
import { Random, RandomStream } from "../../../src/random/index.ts";

type Density = (x: Float64Array) => {
  readonly logDensity: number;
  readonly gradient: readonly number[];
};

/** Evaluates a density of plain numbers row by row. */
const evaluatorOf =
  (density: Density, features: number) =>
  async (rows: Float64Array): Promise<EvaluatedRows> => {
    const points = Array.from({ length: rows.length / features }, (_, i) =>
      density(rows.subarray(i * features, (i + 1) * features)),
    );
    return {
      logDensity: Float64Array.from(points, ({ logDensity }) => logDensity),
      gradient: Float64Array.from(points.flatMap(({ gradient }) => gradient)),
      logProposal: new Float64Array(points.length),
    };
  };

/** N((1, -2), S) with the standard deviations 3 and 0.2 and the correlation 0.9. */
const [deviations, correlation, means] = [[3, 0.2], 0.9, [1, -2]];
const gaussian: Density = (x) => {
  const [a, b] = [0, 1].map((i) => (x[i] - means[i]) / deviations[i]);
  const factor = 1 / (1 - correlation ** 2);
  return {
    logDensity: -0.5 * factor * (a * a - 2 * correlation * a * b + b * b),
    gradient: [
      (-factor * (a - correlation * b)) / deviations[0],
      (-factor * (b - correlation * a)) / deviations[1],
    ],
  };
};

/** log x for x ~ Gamma(2, 1): skewed, with the distribution function 1 - (1 + x) exp(-x). */
const logGamma: Density = ([u]) => ({ logDensity: 2 * u - Math.exp(u), gradient: [2 - Math.exp(u)] });

const settings = { warmUp: 300, draws: 1000, targetAcceptance: 0.8, maxDepth: 10 };

describe("the leapfrog integrator", () => {
  const variances = Float64Array.of(9, 0.04);
  const start = async (): Promise<State> => {
    const position = Float64Array.of(2, -1.9);
    const { logDensity, gradient } = gaussian(position);
    const point: Point = { position, logDensity, gradient: Float64Array.from(gradient), logProposal: 0 };
    return { point, momentum: Float64Array.of(0.3, -4) };
  };
  const integrate = async (from: State, stepSize: number, steps: number): Promise<State> => {
    function* program() {
      let state = from;
      for (let i = 0; i < steps; i++) state = yield* leapfrog(state, stepSize, variances);
      return state;
    }
    return (await runChains([program()], 2, evaluatorOf(gaussian, 2)))[0];
  };

  test("is reversible", async () => {
    const from = await start();
    const there = await integrate(from, 0.1, 7);
    const back = await integrate(there, -0.1, 7);
    expect(back.point.position[0]).toBeCloseTo(from.point.position[0], 12);
    expect(back.momentum[1]).toBeCloseTo(from.momentum[1], 12);
  });

  test("has an energy error of second order", async () => {
    const from = await start();
    const errorOf = async (steps: number) =>
      Math.abs(energyOf(await integrate(from, 0.8 / steps, steps), variances) - energyOf(from, variances));
    expect((await errorOf(20)) / (await errorOf(40))).toBeCloseTo(4, 1);
  });
});

describe("chains of the No-U-Turn sampler", () => {
  test("have the mean, variances and correlation of a Gaussian, from a distant start", async () => {
    const starts = Array.from({ length: 4 }, (_, c) => Float64Array.of(10 * c, 5));
    const runs = await sampleNuts(evaluatorOf(gaussian, 2), starts, settings, new Random(1));
    const columns = [0, 1].map((i) => runs.map(({ positions }) => positions.filter((_, k) => k % 2 === i)));
    const all = columns.map((chains) => chains.flatMap((chain) => [...chain]));
    const standardized = all.map((values, i) => values.map((x) => (x - means[i]) / deviations[i]));
    columns.forEach((chains, i) => {
      const effective = bulkEffectiveSampleSize(chains);
      expect(effective).toBeGreaterThan(400);
      expect(Math.abs(mean(standardized[i]))).toBeLessThan(4 / Math.sqrt(effective));
      expect(Math.abs(mean(standardized[i].map((z) => z * z)) - 1)).toBeLessThan(0.063);
    });
    const product = mean(standardized[0].map((z, k) => z * standardized[1][k]));
    expect(Math.abs(product - correlation)).toBeLessThan(0.063);
    for (const { divergences, saturated } of runs) expect([divergences, saturated]).toEqual([[], 0]);
  });

  test("have the distribution function of a skewed density", async () => {
    const starts = Array.from({ length: 8 }, () => Float64Array.of(0));
    const runs = await sampleNuts(evaluatorOf(logGamma, 1), starts, settings, new Random(2));
    const chains = runs.map(({ positions }) => positions);
    const all = chains.flatMap((chain) => [...chain]);
    for (const x of [0.2, 0.5, 1, 2, 4, 6]) {
      const probability = 1 - (1 + x) * Math.exp(-x);
      const indicators = chains.map((chain) => chain.map((u) => (Math.exp(u) <= x ? 1 : 0)));
      const error = Math.sqrt((probability * (1 - probability)) / bulkEffectiveSampleSize(indicators));
      const share = all.filter((u) => Math.exp(u) <= x).length / all.length;
      expect(Math.abs(share - probability)).toBeLessThan(4 * error);
    }
  });

  test("count every evaluation of the density", async () => {
    let rows = 0;
    const evaluate = evaluatorOf(gaussian, 2);
    const [{ evaluations }] = await sampleNuts(
      (batch) => {
        rows += batch.length / 2;
        return evaluate(batch);
      },
      [Float64Array.of(0, 0)],
      { ...settings, warmUp: 50, draws: 20 },
      new Random(3),
    );
    expect(evaluations).toBe(rows);
  });

  test("are the same for the same seed, however many there are", async () => {
    const starts = Array.from({ length: 3 }, () => Float64Array.of(0, 0));
    const short = { ...settings, warmUp: 50, draws: 20 };
    const three = await sampleNuts(evaluatorOf(gaussian, 2), starts, short, new Random(3));
    const one = await sampleNuts(evaluatorOf(gaussian, 2), starts.slice(0, 1), short, new Random(3));
    expect(three[0].positions).toEqual(one[0].positions);
    expect(three[0].positions).not.toEqual(three[1].positions);
  });

  test("count trajectories that diverge, and leave them where the density is not finite", async () => {
    /** A half-normal distribution of x > 0, with NaN elsewhere. */
    const half: Density = ([x]) =>
      x > 0
        ? { logDensity: -x * x * 50, gradient: [-100 * x] }
        : { logDensity: Number.NaN, gradient: [Number.NaN] };
    const [run] = await sampleNuts(evaluatorOf(half, 1), [Float64Array.of(0.1)], settings, new Random(4));
    expect(run.divergences.length).toBeGreaterThan(0);
    expect(run.positions.every((x) => x > 0)).toBe(true);
  });

  test("alternate with other transitions", async () => {
    const chain = nutsChain(
      Float64Array.of(0, 0),
      { ...settings, warmUp: 20, draws: 10 },
      new RandomStream(new Random(0)),
      (point) => ({ ...point, logProposal: 7 }),
    );
    const [result] = await runChains([chain], 2, evaluatorOf(gaussian, 2));
    expect(result.end.logProposal).toBe(7);
  });
});

describe("adaptation", () => {
  test("finds the step size of an acceptance probability", () => {
    const adaptation = new StepSizeAdaptation(5, 0.7);
    // The acceptance probability exp(-step size) is 0.7 for a step size of -log 0.7.
    for (let i = 0; i < 500; i++) adaptation.update(Math.exp(-adaptation.stepSize));
    expect(adaptation.averageStepSize).toBeCloseTo(-Math.log(0.7), 1);
  });

  test("estimates variances", () => {
    const estimate = new VarianceEstimate(2);
    const n = 10_000;
    const normal = new Random(0).normal(new Float64Array(2 * n));
    for (let i = 0; i < n; i++)
      estimate.add(Float64Array.of(3 * normal[2 * i], 1000 + 0.1 * normal[2 * i + 1]));
    expect(estimate.variances()[0]).toBeCloseTo(9, 0);
    expect(estimate.variances()[1]).toBeCloseTo(0.01, 3);
  });

  test.each([20, 75, 150, 1000])("has windows of doubling length in a warm-up of %s", (warmUp) => {
    const { start, ends } = massWindows(warmUp);
    const positions = [start, ...ends];
    const lengths = positions.slice(1).map((end, i) => end - positions[i]);
    lengths.slice(1).forEach((length, i) => {
      expect(length).toBeGreaterThanOrEqual(2 * lengths[i]);
    });
    expect(positions.at(-1)).toBeLessThan(warmUp);
    expect(positions.at(-1)).toBeGreaterThan(0.6 * warmUp);
  });
});
