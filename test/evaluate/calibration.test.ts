import { expect, it } from "vitest";
import { countBand } from "../../src/numerics/countBand.ts";
import { calibration, conditionalCalibration } from "../../src/tables/evaluate/index.ts";
import golden from "./golden/calibration.json" with { type: "json" };
import { curveRows, latentClassModel } from "./latentClassModel.ts";

it("counts ranks as numpy does, and the band has the quantiles of scipy", () => {
  const { columns } = calibration({ x: golden.real }, { x: golden.generated }, { bins: 20 });
  expect(columns[0].counts).toEqual(golden.counts);
  const band = { rows: 80, bins: 10, probability: 0.99 };
  expect(countBand({ ...band, draws: undefined })).toEqual(golden.binomial);
  expect(countBand({ ...band, draws: 199 })).toEqual(golden.betaBinomial);
  expect(countBand({ ...band, draws: 9 })).toEqual(golden.betaBinomialOfNine);
});

it("rows of the same distribution are within the band, also labels and missing values, and have the coverage of the levels", () => {
  const { band, columns } = calibration(curveRows(400, 1), curveRows(2000, 2));
  expect(columns.map(({ name, isOutside }) => [name, isOutside])).toEqual([
    ["x", false],
    ["y", false],
    ["label", false],
  ]);
  for (const { counts, coverage } of columns) {
    expect(counts.reduce((sum, count) => sum + count)).toBe(400);
    // Four standard errors of a binomial share, and those of the draws.
    for (const { level, share } of coverage) expect(Math.abs(share - level)).toBeLessThan(0.11);
  }
  expect(band[0]).toBeLessThan(40);
});

it("a column that varies too little has a histogram like a U, and its central intervals contain too few values", () => {
  const narrow = curveRows(1000, 2).map((row) => ({ ...row, x: 0.5 * Number(row.x) }));
  const [{ counts, coverage, isOutside }] = calibration(curveRows(400, 1), narrow).columns;
  expect(isOutside).toBe(true);
  expect(Math.min(counts[0], counts[9])).toBeGreaterThan(2 * Math.max(counts[4], counts[5]));
  expect(coverage[2].share).toBeLessThan(0.8);
});

it("draws of a model are calibrated given the other columns, and rows of another distribution are not", async () => {
  await using model = await latentClassModel(curveRows(600, 1), 5);
  const options = { draws: 19 };
  const own = await conditionalCalibration(model, await model.sample(200, { seed: 1 }), options);
  expect(own.columns.map(({ isOutside }) => isOutside)).toEqual([false, false, false]);
  // The distributions of both columns are those of the model, but not that of y given x.
  const rows = curveRows(200, 3);
  const shifted = rows.map((row, n) => ({ ...row, y: rows[(n + 1) % rows.length].y }));
  const other = await conditionalCalibration(model, shifted, options);
  expect(other.columns[1].isOutside).toBe(true);
});
