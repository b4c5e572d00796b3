import { describe, expect, it } from "vitest";
import { Identity, Standardize } from "../../src/bijections/index.ts";
import { dataset, InMemoryDataset } from "../../src/dataset/index.ts";
import { StandardNormal } from "../../src/distributions/index.ts";
import { Flow, maf } from "../../src/flows/index.ts";
import {
  ContextCheck,
  logDensities,
  lowDensityThreshold,
  ModelScorer,
  summarizeContext,
} from "../../src/tables/evaluate/index.ts";
import type { LoadedModel } from "../../src/tables/model/index.ts";

const normal = new Flow(new StandardNormal({ features: 1 }), new Identity({ features: 1 }));
const training = { rows: 100, seed: 0, epochs: 1, bestEpoch: 1, validationLogDensity: -1.4 };
const model: LoadedModel = { flow: normal, columns: ["x"], given: [], training };
const rowsFrom = (firstRow: number, ...values: number[]) =>
  new InMemoryDataset({
    features: 1,
    values: Float64Array.from(values),
    rowNumbers: Int32Array.from(values, (_, i) => firstRow + i),
  });
const logNormal = (x: number) => -0.5 * (Math.log(2 * Math.PI) + x * x);

describe("ModelScorer", () => {
  it("returns log-densities block by block, and keeps their mean", async () => {
    const scorer = new ModelScorer(model, { precision: "float64" });
    expect((await scorer.score(rowsFrom(1, 0, 1)))[1]).toBeCloseTo(logNormal(1), 12);
    await scorer.score(rowsFrom(3, 2));
    expect(scorer.logDensity.count).toBe(3);
    expect(scorer.logDensity.mean).toBeCloseTo((logNormal(0) + logNormal(1) + logNormal(2)) / 3, 12);
    expect(scorer.warnings()).toEqual([]);
  });

  it("warns of rows far below the mean of the held-out rows, with the number of the first", async () => {
    expect(lowDensityThreshold(model)).toBeCloseTo(-103.4, 12);
    // log p(14.3) = -103.2, log p(14.4) = -104.6
    const scorer = new ModelScorer(model);
    await scorer.score(rowsFrom(1, 0, 14.3));
    expect(scorer.warnings()).toEqual([]);
    await scorer.score(rowsFrom(3, 0, 14.4));
    expect(scorer.warnings()).toMatchInlineSnapshot(`
      [
        "Row 4 has a very low density (-104.599 nats): its values are far from all training rows.",
      ]
    `);
    await scorer.score(rowsFrom(5, -20));
    expect(scorer.warnings()).toMatchInlineSnapshot(`
      [
        "2 of 5 rows have a very low density (the first is row 4, -104.599 nats): their values are far from all training rows.",
      ]
    `);
  });
});

describe("logDensities", () => {
  it("are finite for values that overflow float32", async () => {
    const flow = maf(1, { transforms: 1, hidden: [4] });
    const far = rowsFrom(1, 1e300);
    expect((await flow.logProb(far.values)).every(Number.isFinite)).toBe(false);
    expect((await logDensities(flow, far))[0]).toBeLessThan(-1e9);
  });

  it("that are NaN are an error with the row", async () => {
    const broken = Standardize.of([0], [1]);
    broken.center.value[0] = Number.NaN;
    const flow = new Flow(new StandardNormal({ features: 1 }), broken);
    await expect(logDensities(flow, rowsFrom(7, 1), { source: "t.csv" })).rejects.toThrow(
      "the log-density of row 7 of t.csv is not a number",
    );
  });
});

describe("the context", () => {
  const flow = maf(1, { context: 2, transforms: 1, hidden: [4] });
  const seen = dataset(new Float64Array(40), {
    features: 1,
    // A number from 0 to 39, and the label 0 or, in two rows, 1.
    context: Array.from({ length: 40 }, (_, i) => [i, i % 20 === 0 ? 1 : 0]),
  });
  const labels = new Map([["kind", ["cat", "dog"]]]);
  const given = summarizeContext([seen], ["temp", "kind"], labels);
  const conditional: LoadedModel = {
    flow,
    columns: ["x"],
    given: ["temp", "kind"],
    labels: [["cat", "dog"]],
    training: { ...training, given },
  };

  it("is summarized by ranges of numbers and counts of labels", () => {
    expect(given).toEqual([{ minimum: 0, maximum: 39 }, { counts: [38, 2] }]);
  });

  it("of new rows is compared with that of the training rows", () => {
    const check = new ContextCheck(conditional);
    const block = (firstRow: number, ...context: number[][]) =>
      check.add({
        rows: context.length,
        context: Float64Array.from(context.flat()),
        rowNumbers: Int32Array.from(context, (_, i) => firstRow + i),
      });
    // A value may lie outside of the range by 5% of its width.
    block(1, [40.9, 0], [-1.9, 0]);
    expect(check.warnings()).toEqual([]);
    block(3, [50, 0], [20, 1], [60, 0]);
    expect(check.warnings()).toMatchInlineSnapshot(`
      [
        "temp=50 (row 3, and 1 more row) is outside of the range of the training rows, 0 to 39: the model extrapolates.",
        "kind=dog (row 4) occurs in only 2 training rows: the model has learned little about this label.",
      ]
    `);
    const unseen = [given[0]!, { counts: [40, 0] }];
    const another = new ContextCheck({ ...conditional, training: { ...training, given: unseen } });
    another.add({ rows: 1, context: Float64Array.of(20, 1), rowNumbers: Int32Array.of(1) });
    expect(another.warnings()).toEqual([
      "kind=dog occurs in no training row: the model has learned nothing about this label.",
    ]);
  });
});
