import { describe, expect, test } from "vitest";
import { dataset } from "../../../src/dataset/index.ts";
import { StandardNormal } from "../../../src/distributions/index.ts";
import { Flow, Random } from "../../../src/index.ts";
import { AnomalyScorer } from "../../../src/tables/anomalies/anomalyScorer.ts";
import { benjaminiHochberg, conformalPValues } from "../../../src/tables/anomalies/conformal.ts";
import { selectAnomalies } from "../../../src/tables/anomalies/findAnomalies.ts";
import { realColumn } from "../../../src/tables/columns/realColumn.ts";

/** Rows of two columns from random numbers, for known distributions of several shapes. */
const distributions: Readonly<
  Record<string, (normal: [number, number], uniform: number) => [number, number]>
> = {
  "independent normal": ([a, b]) => [a, b],
  "correlated normal": ([a, b]) => [a, 0.9 * a + Math.sqrt(0.19) * b],
  "heavy-tailed Cauchy": ([a, b]) => [a / b, a],
  "skewed exponential": ([a], u) => [-Math.log(u), a],
  "mixture of clusters": ([a, b], u) => (u < 0.3 ? [10 + a, b] : [0.1 * a, -5 + b]),
};

const columns = [realColumn("a"), realColumn("b")];

describe("the training table is recognized by the scores of its calibration rows", () => {
  const random = new Random(4);
  const isTrainingTable = (rows: Float64Array, calibration: Float64Array) =>
    selectAnomalies(rows, calibration.slice().sort()).isTrainingTable;
  const normal = (name: string, size: number) => random.split(name).normal(new Float64Array(size));
  /** Scores of rows of `count` different kinds, of which kind i is i times as rare as the first one. */
  const ofKinds = (name: string, size: number, count: number) =>
    random
      .split(name)
      .uniform(new Float64Array(size))
      .map((u) => Math.log(1 + Math.floor(count ** u)));

  test("if they are nearly all different", () => {
    const rows = normal("rows", 20_000);
    expect(isTrainingTable(rows, rows.slice(0, 2000))).toBe(true);
    // Scores depend on the number of threads in their last digits.
    expect(
      isTrainingTable(
        rows,
        rows.slice(0, 200).map((score) => score * (1 + 3e-7)),
      ),
    ).toBe(true);
    expect(isTrainingTable(normal("others", 20_000), rows.slice(0, 2000))).toBe(false);
  });

  test.each([5, 100, 2000])("but new rows of %i different kinds are not taken for it", (count) => {
    expect(isTrainingTable(ofKinds("rows", 4000, count), ofKinds("calibration", 400, count))).toBe(false);
  });
});

describe("conformalPValues", () => {
  test("is (1 + number of scores that are at least as high) / (n + 1)", () => {
    const p = conformalPValues(
      Float64Array.of(0, 1, 1.5, 3, 4, Number.POSITIVE_INFINITY, Number.NaN),
      [1, 2, 3],
    );
    expect(Array.from(p)).toEqual([1, 1, 0.75, 0.5, 0.25, 0.25, Number.NaN]);
  });

  test.for(Object.entries(distributions))(
    "are uniform for fresh rows of known distributions: %s",
    async ([, rowOf]) => {
      const [calibrationRows, freshRows] = [1500, 3000];
      const rows = (count: number, seed: number) => {
        const normal = new Random(seed).split("normal").normal(new Float64Array(2 * count));
        const uniform = new Random(seed).split("uniform").uniform(new Float64Array(count));
        return dataset(
          Array.from({ length: count }, (_, n) => rowOf([normal[2 * n], normal[2 * n + 1]], uniform[n])),
        );
      };
      // No property of the model is needed: this one is the same for all distributions.
      const flow = new Flow(new StandardNormal({ features: 2 }));
      const parts = { training: rows(300, 1), validation: rows(300, 2), test: rows(calibrationRows, 3) };
      const reference = await AnomalyScorer.fit(columns, flow, parts);
      const scorer = new AnomalyScorer(columns, flow, reference);
      const p = conformalPValues(await scorer.score(rows(freshRows, 4).values), reference.calibration).sort();
      // The distance of Kolmogorov and Smirnov between two samples exceeds this with a probability of 0.001.
      const bound = 1.95 * Math.sqrt(1 / calibrationRows + 1 / freshRows);
      const distance = p.reduce((max, value, i) => Math.max(max, Math.abs(value - (i + 0.5) / freshRows)), 0);
      expect(distance).toBeLessThan(bound);
      await scorer.release();
    },
  );
});

describe("benjaminiHochberg", () => {
  test("rejects up to the last p-value below its line", () => {
    // Lines k * 0.1 / 5: 0.02, 0.04, 0.06, 0.08, 0.1. The second p-value is above its line, but the third is below.
    expect(benjaminiHochberg(Float64Array.of(0.5, 0.01, 0.05, 0.045, 0.9, Number.NaN), 0.1)).toBe(0.05);
    expect(benjaminiHochberg(Float64Array.of(0.5, 0.3), 0.1)).toBe(0);
  });

  test("selects at most the stated fraction of false alarms in the mean", () => {
    const fractions = Array.from({ length: 200 }, (_, seed) => {
      const uniform = new Random(seed).uniform(new Float64Array(200));
      // The first 40 p-values are those of true anomalies.
      const p = Float64Array.from(uniform, (u, i) => (i < 40 ? u / 1000 : u));
      const threshold = benjaminiHochberg(p, 0.2);
      const [hits, alarms] = [p.slice(0, 40), p.slice(40)].map(
        (part) => part.filter((each) => each <= threshold).length,
      );
      return alarms / Math.max(1, hits + alarms);
    });
    const mean = fractions.reduce((a, b) => a + b, 0) / fractions.length;
    // Benjamini and Hochberg: exactly 0.2 times the fraction of ordinary rows, for independent p-values.
    expect(mean).toBeGreaterThan(0.12);
    expect(mean).toBeLessThan(0.2);
  });
});
