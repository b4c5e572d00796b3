import { expect, it, vi } from "vitest";
import { Standardize } from "../../src/bijections/index.ts";
import { dataset } from "../../src/dataset/index.ts";
import { Laplace, StandardNormal } from "../../src/distributions/index.ts";
import { Flow, maf } from "../../src/flows/index.ts";
import { Random } from "../../src/random/index.ts";
import { realColumn } from "../../src/tables/columns/realColumn.ts";
import { evaluate, gaussianBaseline, logDensities } from "../../src/tables/evaluate/index.ts";
import { tableLogDensities } from "../../src/tables/evaluate/logDensities.ts";
import { withConstants } from "../../src/tables/fit/index.ts";

const CENTER = [3, -1000];
const SCALE = [2, 0.01];
/** A flow that is this Gaussian. */
const gaussian = () => new Flow(new StandardNormal({ features: 2 }), Standardize.of(CENTER, SCALE));
/** E[log p(x)] of the Gaussian: minus its entropy. */
const MEAN = -SCALE.reduce((sum, scale) => sum + 0.5 * Math.log(2 * Math.PI * Math.E) + Math.log(scale), 0);
const gaussianRows = (rows: number, seed: number) =>
  new Random(seed).normal(new Float64Array(2 * rows)).map((z, i) => CENTER[i % 2]! + SCALE[i % 2]! * z);
const exact = (x: Float64Array, row: number) =>
  CENTER.reduce(
    (sum, center, d) =>
      sum -
      0.5 * (Math.log(2 * Math.PI) + ((x[2 * row + d]! - center) / SCALE[d]!) ** 2) -
      Math.log(SCALE[d]!),
    0,
  );

it("estimates the mean log-density, minus the entropy, with its standard error", async () => {
  const rows = gaussianRows(4000, 1);
  const { logDensities, logDensity, baseline, gain } = await evaluate(gaussian(), rows, {
    precision: "float64",
  });
  for (const row of [0, 17, 3999]) expect(logDensities[row]).toBeCloseTo(exact(rows, row), 8);
  expect(logDensity.count).toBe(4000);
  expect(Math.abs(logDensity.mean - MEAN)).toBeLessThan(4 * logDensity.standardError);
  // The log-density is a constant minus half of a chi-squared variable with 2 degrees of freedom, whose variance is 4. The
  // standard deviation of an exponential variable is estimated to 1 / sqrt(N) of itself.
  expect(Math.abs(logDensity.standardError * Math.sqrt(4000) - 1)).toBeLessThan(4 / Math.sqrt(4000));
  expect([baseline, gain]).toEqual([undefined, undefined]);
});

it("a flow that is the Gaussian gains only the error of the fitted Gaussian over it", async () => {
  const training = gaussianRows(2000, 2);
  const { logDensity, baseline, gain } = await evaluate(gaussian(), gaussianRows(2000, 3), { training });
  // Expected loss of maximum likelihood: half of the number of parameters (2 means, 3 covariances) for each training row.
  expect(Math.abs(gain!.mean - 2.5 / 2000)).toBeLessThan(4 * gain!.standardError);
  expect(gain!.mean).toBeCloseTo(logDensity.mean - baseline!.mean, 10);
  expect(gain!.standardError).toBeLessThan(logDensity.standardError / 5);
  expect(JSON.parse(JSON.stringify(gain))).toEqual({
    count: 2000,
    mean: gain!.mean,
    standardError: gain!.standardError,
  });
});

it("a row that is impossible under both densities has no gain", async () => {
  const flow = withConstants(gaussian(), new Map([[2, 5]]));
  const impossible = Number.NEGATIVE_INFINITY;
  const baseline = { logDensities: async () => Float64Array.of(-2, impossible) };
  const { logDensities, gain } = await evaluate(flow, Float64Array.of(3, -1000, 5, 3, -1000, 6), {
    baseline,
  });
  expect(logDensities[1]).toBe(impossible);
  expect(gain!.mean).toBeCloseTo((logDensities[0] + 2) / 2, 12);
});

it("rows of a table are computed in float64 only if their log-density is not finite in float32", async () => {
  const flow = new Flow(new Laplace({ features: 1 }));
  const logProb = vi.spyOn(flow, "logProb");
  const scores = await tableLogDensities({ flow, columns: [realColumn("x")] }, [{ x: 1 }, { x: null }], {
    run: {},
  });
  expect(scores[0]).toBeCloseTo(-1 - Math.log(2), 6);
  expect(scores[1]).toBeNaN();
  const inFloat64 = () => logProb.mock.calls.filter((call) => JSON.stringify(call[2])?.includes("float64"));
  expect(inFloat64()).toEqual([]);
  const [largest] = await tableLogDensities({ flow, columns: [realColumn("x")] }, [{ x: 1e39 }], { run: {} });
  expect(largest! / -1e39).toBeCloseTo(1, 12);
  expect(inFloat64()).toHaveLength(1);
});

it("weights count as rows", async () => {
  const values = gaussianRows(3, 4);
  const weighted = await evaluate(gaussian(), dataset(values, { features: 2, weights: [2, 0, 1] }));
  const [first, , third] = Array.from({ length: 3 }, (_, row) => values.subarray(2 * row, 2 * row + 2));
  const repeated = await evaluate(gaussian(), Float64Array.of(...first!, ...first!, ...third!));
  expect(weighted.logDensity.mean).toBeCloseTo(repeated.logDensity.mean, 10);
  expect(weighted.logDensity.count).toBe(2);
});

it("accepts the context of a conditional flow, and any density as baseline", async () => {
  const flow = maf(2, { context: 1, transforms: 1, hidden: [4] });
  const [rows, context] = [gaussianRows(50, 5), new Random(6).normal(new Float64Array(50))];
  const baseline = await gaussianBaseline(dataset(rows, { features: 2, context }));
  const given = await evaluate(flow, rows, { context, baseline });
  const fitted = await evaluate(flow, dataset(rows, { features: 2, context }), {
    training: dataset(rows, { features: 2, context }),
  });
  expect(given.baseline!.mean).toBe(fitted.baseline!.mean);
  expect(given.logDensity).toEqual(fitted.logDensity);
});

it("has no baseline if there are too few training rows for a Gaussian", async () => {
  const { baseline, gain } = await evaluate(gaussian(), gaussianRows(9, 7), { training: gaussianRows(3, 8) });
  expect([baseline, gain]).toEqual([undefined, undefined]);
});

it("refuses to evaluate on no rows", async () => {
  await expect(evaluate(gaussian(), new Float64Array(0))).rejects.toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: there are no rows to evaluate the flow on: expected at least 1 row.]`,
  );
});

it("refuses training rows without the context of the evaluated rows", async () => {
  const flow = maf(2, { context: 1, transforms: 1, hidden: [4] });
  const [rows, context] = [gaussianRows(50, 5), new Random(6).normal(new Float64Array(50))];
  const training = gaussianRows(50, 7);
  await expect(evaluate(flow, rows, { context, training })).rejects.toThrowErrorMatchingInlineSnapshot(`
    [PushforwardError: the training rows and the evaluated rows have different numbers of context features: expected 0, as in the training rows, received 1.
    Give both with their context: dataset(rows, { context }).]
  `);
});

it("refuses a context beside a dataset, which has its own", async () => {
  const flow = maf(2, { context: 1, transforms: 1, hidden: [4] });
  const [values, context] = [gaussianRows(50, 5), new Random(6).normal(new Float64Array(50))];
  const rows = dataset(values, { features: 2, context });
  await expect(evaluate(flow, rows, { context })).rejects.toThrowErrorMatchingInlineSnapshot(`
    [PushforwardError: the option context of evaluate cannot be combined with a dataset.
    Make it a part of the rows: dataset(rows, { context }).]
  `);
});

it("refuses datasets whose columns are not in the order of the flow", async () => {
  const flow = maf(2, { context: 2, transforms: 1, hidden: [4] });
  flow.columns = ["x", "y"];
  flow.contextColumns = ["a", "b"];
  const rowsOf = (row: object, context: object) =>
    dataset([row, row, row] as never, { context: [context, context, context] as never });
  const ordered = rowsOf({ x: 1, y: 2 }, { a: 3, b: 4 });
  const swapped = rowsOf({ y: 2, x: 1 }, { a: 3, b: 4 });
  const swappedContext = rowsOf({ x: 1, y: 2 }, { b: 4, a: 3 });
  const wide = dataset([1, 2, 3, 4], { features: 4 });
  await expect(evaluate(flow, swapped)).rejects.toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: the columns of the rows are not those of the flow: expected x, y, received y, x.]`,
  );
  await expect(evaluate(flow, swappedContext)).rejects.toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: the contextColumns of the rows are not those of the flow: expected a, b, received b, a.]`,
  );
  await expect(evaluate(flow, wide)).rejects.toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: the rows have a different number of features from the flow: expected 2, received 4.]`,
  );
  await expect(evaluate(flow, ordered, { training: swapped })).rejects.toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: the columns of the training rows are not those of the flow: expected x, y, received y, x.]`,
  );
  await expect(
    evaluate(flow, ordered, { training: swappedContext }),
  ).rejects.toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: the contextColumns of the training rows are not those of the flow: expected a, b, received b, a.]`,
  );
});

it("the log-density of a row does not depend on the rows beside it, even if theirs overflow float32", async () => {
  const flow = maf(2, { seed: 1, hidden: [8] });
  const row = [0.3, -0.7];
  const [single] = await logDensities(flow, dataset(row, { features: 2 }));
  const [beside, far] = await logDensities(flow, dataset([...row, 1e30, 1], { features: 2 }));
  expect(Number.isFinite(far)).toBe(true);
  expect(beside).toBe(single);
  await flow.release();
});
