import { describe, expect, test } from "vitest";
import { StandardNormal } from "../../../src/distributions/index.ts";
import type { Tensor } from "../../../src/graph/index.ts";
import { dataset, Flow, Random } from "../../../src/index.ts";
import { compile } from "../../../src/runtime/compile.ts";
import { AnomalyScorer } from "../../../src/tables/anomalies/anomalyScorer.ts";
import { AnomalyStatistics, STATISTICS } from "../../../src/tables/anomalies/anomalyStatistics.ts";
import { realColumn } from "../../../src/tables/columns/realColumn.ts";
import type { TableColumn } from "../../../src/tables/columns/tableColumn.ts";
import { MixedMade } from "../../../src/tables/densities/mixedMade.ts";
import { atoms, categorical, continuous, randomize } from "../../distributions/mixedColumns.ts";

const { NaN: missing } = Number;
const columns: readonly TableColumn[] = [
  realColumn("a"),
  { kind: "categorical", name: "color", type: "text", gaps: false, labels: ["red", "green", "blue"] },
  { kind: "continuous", name: "b", type: "number", gaps: true, center: 0, scale: { type: "linear" } },
];
const SCALES = Float64Array.of(2, 1, 0.5);

/** Rows of a number, the code of a label, and a number that is sometimes missing. */
function rowsOf(count: number, seed: number): number[][] {
  const normal = new Random(seed).normal(new Float64Array(2 * count));
  return Array.from({ length: count }, (_, n) => [
    2 * normal[2 * n]!,
    n % 3,
    n % 7 === 0 ? missing : Math.round(4 * normal[2 * n + 1]!) / 8,
  ]);
}

/** Distances are those to the fourth nearest row, because there is one neighbor for each 50 rows. */
const reference = rowsOf(200, 1);
const queries = rowsOf(8, 2);
const isMissing = (value: number) => Number.isNaN(value);

/** The rank of a number among the present values of a feature. */
function rankOf(value: number, d: number): number {
  const values = reference.map((row) => row[d]!).filter((each) => !isMissing(each));
  const sum = values.reduce((total, each) => total + (each < value ? 1 : each === value ? 0.5 : 0), 0);
  return sum / values.length;
}

/** The fourth smallest distance to a reference row. */
function fourthDistance(
  row: number[],
  transform: (value: number, d: number) => number,
  squaredDistanceOfLabels: number,
): number {
  const squares = reference.map((other) =>
    row.reduce((sum, value, d) => {
      const there = other[d]!;
      if (d === 1) return sum + (value === there ? 0 : squaredDistanceOfLabels);
      if (isMissing(value) || isMissing(there))
        return sum + (isMissing(value) && isMissing(there) ? 0 : squaredDistanceOfLabels);
      return sum + (transform(value, d) - transform(there, d)) ** 2;
    }, 0),
  );
  return Math.sqrt(squares.sort((x, y) => x - y)[3]!);
}

/** -log of the fraction of reference rows, with half a row more, that are within a tenth of the scale. */
function surpriseOf(value: number, d: number): number {
  const radius = d === 1 ? 0 : 0.1 * SCALES[d]!;
  const within = reference.filter(
    (other) => Math.abs(other[d]! - value) <= radius || (isMissing(value) && isMissing(other[d]!)),
  );
  return -Math.log((within.length + 0.5) / (reference.length + 1));
}

const marginalSurprise = (row: number[]): number =>
  row.reduce((sum, value, d) => sum + surpriseOf(value, d), 0);

const heads = [continuous, categorical, atoms];
const flow = new Flow(new MixedMade({ columns: heads, network: { hidden: [4] } }, new Random(0)));
const flat = (rows: number[][]) => Float64Array.from(rows.flat());

describe("statistics of rows", () => {
  test("are distances and frequencies among the training rows, also of labels and missing values", async () => {
    const statistics = new AnomalyStatistics(columns, flow, { rows: flat(reference), featureScales: SCALES });
    const ofRows = await statistics.compute(flat(queries), new Float64Array(6), {});
    const close = (values: number[]) => values.map((value) => expect.closeTo(value, 10));
    const scaled = (value: number, d: number) => value / SCALES[d]!;
    expect([...ofRows.marginalSurprise!]).toEqual(close(queries.map(marginalSurprise)));
    expect([...ofRows.distance!]).toEqual(close(queries.map((row) => fourthDistance(row, scaled, 2))));
    expect([...ofRows.rankDistance!]).toEqual(
      close(queries.map((row) => fourthDistance(row, rankOf, 1 / 6))),
    );
    const means = [0, 1, 2].map(
      (d) => reference.reduce((sum, row) => sum + surpriseOf(row[d]!, d), 0) / reference.length,
    );
    const rarities = queries.flatMap((row) => row.map((value, d) => surpriseOf(value, d) - means[d]!));
    expect([...statistics.rarities(flat(queries))]).toEqual(close(rarities));
    await statistics.release();
  });

  test("have the mean of the largest surprises in both orders of the columns", async () => {
    const made = new MixedMade({ columns: heads, network: { hidden: [4] } }, new Random(0));
    randomize(made);
    const rows = flat(queries);
    const statistics = new AnomalyStatistics(columns, new Flow(made), {
      rows: flat(reference),
      featureScales: SCALES,
    });
    const means = Float64Array.of(0.1, 0.2, 0.3, 1, 2, 3);
    const { surprise } = await statistics.compute(rows, means, {});
    await statistics.release();
    const radii = Array.from(SCALES, (scale) => 0.1 * scale);
    const masses = (positions: number[]) => (x: Tensor) => ({
      masses: made.conditionalMasses(x, positions, radii).transpose(),
    });
    const run = async (positions: number[]) =>
      (await compile(masses(positions), [["N", 3]], { precision: "float64" })(rows)).masses as Float64Array;
    const [forward, backward] = [await run([0, 1, 2]), await run([2, 1, 0])];
    const largest = (ofRows: Float64Array, n: number, ofMeans: Float64Array) =>
      Math.max(...[0, 1, 2].map((d) => -ofRows[3 * n + d]! - ofMeans[d]!));
    const expected = queries.map((_, n) => {
      const pair = [largest(forward, n, means.subarray(0, 3)), largest(backward, n, means.subarray(3))];
      return expect.closeTo((pair[0]! + pair[1]!) / 2, 10);
    });
    expect([...surprise!]).toEqual(expected);
  });

  test("are combined to -log of the harmonic mean of their exponential tail probabilities", async () => {
    const numbers = [realColumn("a"), realColumn("b")];
    const gaussian = new Flow(new StandardNormal({ features: 2 }));
    const normal = (seed: number, count: number) =>
      dataset(new Random(seed).normal(new Float64Array(2 * count)), { features: 2 });
    const [training, validation, rows] = [normal(1, 300), normal(2, 100), normal(3, 5)];
    const fitted = await AnomalyScorer.fit(numbers, gaussian, { training, validation });
    const scorer = new AnomalyScorer(numbers, gaussian, fitted);
    const scores = await scorer.score(rows.values);
    const ofRows = await scorer.statistics.compute(rows.values, fitted.meanSurprises, {});
    const ofValidation = await scorer.statistics.compute(validation.values, fitted.meanSurprises, {});
    const expected = Array.from(scores, (_, n) => {
      const inverses = STATISTICS.map((name) => {
        const ascending = ofValidation[name]!.toSorted();
        const threshold = ascending[Math.floor(0.9 * 99)]!;
        const above = ascending.filter((value) => value > threshold);
        const mean = above.reduce((sum, value) => sum + value - threshold, 0) / above.length;
        const scale = name === "surprise" || name === "marginalSurprise" ? Math.max(1, mean) : mean;
        return 10 * Math.exp((ofRows[name]![n]! - threshold) / scale);
      });
      return expect.closeTo(Math.log(inverses.reduce((sum, value) => sum + value, 0) / 4), 10);
    });
    expect([...scores]).toEqual(expected);
    await scorer.release();
  });
});
