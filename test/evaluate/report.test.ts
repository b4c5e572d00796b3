import { beforeAll, describe, expect, it } from "vitest";
import { findings } from "../../src/tables/evaluate/findings.ts";
import {
  controlTables,
  type ReportNumbers,
  report,
  trend,
  twoSample,
} from "../../src/tables/evaluate/index.ts";
import type { TableModel } from "../../src/tables/model/tableModel.ts";
import { curveRows, latentClassModel } from "./latentClassModel.ts";

const [training, heldOut] = [curveRows(120, 1), curveRows(120, 2)];
let model: TableModel;
let own: ReportNumbers;
beforeAll(async () => {
  model = await latentClassModel(training, 4);
  own = (await report(model, { training, heldOut })).numbers;
});

it("compares a model with simpler densities on held-out rows, and generated rows with both controls", () => {
  expect(own.baselines.map(({ name }) => name)).toEqual([
    "independent columns",
    "latent classes (3)",
    "kernel density",
  ]);
  const [independent] = own.baselines;
  expect(own.logDensity.count).toBe(120);
  expect(own.logDensity.mean - independent.logDensity.mean).toBeCloseTo(independent.gain.mean, 6);
  expect(independent.gain.mean).toBeGreaterThan(3 * independent.gain.standardError);
  const { generated, copied, shuffled } = own.twoSample;
  expect(Math.max(generated.auroc, copied.auroc)).toBeLessThan(shuffled.auroc);
  expect(own.trend.copied.meanDifference).toBeLessThan(own.trend.shuffled.meanDifference);
  expect(own.privacy?.copied.generated.copies).toBe(1);
  expect(own.privacy?.generated.generated.copies).toBe(0);
  expect(own.usefulness?.generated.target).toBe("label");
  expect(own.rows).toMatchObject({ heldOut: 120, training: 120, impossible: 0, incomplete: 0 });
});

it("refuses a target that the model does not have, or that has one value", async () => {
  await expect(
    report(model, { training, heldOut }, { target: "lable" }),
  ).rejects.toThrowErrorMatchingInlineSnapshot(`
    [PushforwardError: the model has no column "lable": expected one of x, y, label.
    Did you mean "label"?]
  `);
  const same = heldOut.map((row) => ({ ...row, label: "left" }));
  await expect(
    report(model, { training, heldOut: same, generated: training }, { target: "label", maxRows: 40 }),
  ).rejects.toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: the column "label" cannot be the target: expected a varying column of numbers, or with 2 to 20 labels in 5 test rows or more each, received test rows with a single label.]`,
  );
});

it("is plain data, which JSON keeps", () => {
  expect(JSON.parse(JSON.stringify(own))).toEqual(own);
});

it("names the columns that make rare rows improbable", async () => {
  const odd = [...heldOut, { x: -1, y: 9, label: "left" }];
  const { numbers: result } = await report(
    model,
    { training, heldOut: odd, generated: training },
    { maxRows: 60 },
  );
  const rare = result.rareRows.find(({ row }) => row.y === 9);
  const [{ column, gain, expected }] = rare!.reasons;
  expect(column).toBe("y");
  expect(gain).toBeGreaterThan(3);
  // y is x² with noise of standard deviation 0.3.
  expect(expected.interval![1]).toBeLessThan(9);
});

describe("the first line", () => {
  const firstLine = async (generated: typeof training) =>
    (await report(model, { training, heldOut, generated }, { maxRows: 100 })).numbers.findings[0];

  it("says that generated rows are copies", async () => {
    const { copied } = controlTables(training, { seed: 5 });
    expect(await firstLine(copied as typeof training)).toMatchInlineSnapshot(`
      {
        "about": "privacy",
        "kind": "failed",
        "text": "Generated rows copy training rows: 100% are equal to a training row, but only 0% of the held-out rows are.",
      }
    `);
  });

  it("says that generated rows have no dependence between columns", async () => {
    const { shuffled } = controlTables(training, { seed: 5 });
    expect(await firstLine(shuffled as typeof training)).toMatchInlineSnapshot(`
      {
        "about": "dependence",
        "kind": "failed",
        "text": "Generated rows have lost the dependence between columns: the mean difference of correlations and associations is 0.230, with copied rows 0.118 and with shuffled columns 0.265.",
      }
    `);
  });
});

it("finds copies if only a tenth of the generated rows are copies and the others are far from the table", async () => {
  const far = curveRows(180, 5).map((row) => ({ ...row, x: Number(row.x) + 3 }));
  const generated = far.flatMap((row, n) => (n % 9 === 0 ? [row, training[n / 9]] : [row]));
  const { numbers } = await report(model, { training, heldOut, generated }, { maxRows: 100 });
  const { closer, generated: closest } = numbers.privacy!.generated;
  expect(closer).toBeLessThan(0.5);
  // A tenth of the 200 generated rows, of which 100 are compared.
  expect(closest.copies).toBeCloseTo(0.1, 1);
  expect(numbers.findings.find(({ about }) => about === "privacy")).toMatchObject({ kind: "failed" });
});

it("measures the dependence in all generated rows, because it varies by chance in as many as are held out", async () => {
  const few = heldOut.slice(0, 20);
  const { numbers } = await report(model, { training, heldOut: few, generated: training });
  const { generated, copied } = numbers.trend;
  expect(generated.meanDifference).toBeCloseTo(trend(few, training).meanDifference, 12);
  expect(copied.meanDifference).toBeCloseTo(generated.meanDifference, 12);
});

it("takes other real rows as a control where the training rows are not known", async () => {
  const reference = curveRows(100, 3);
  const { numbers: result } = await report(model, { reference, heldOut }, { maxRows: 60 });
  expect(result.privacy).toBeUndefined();
  expect(result.rows.training).toBeUndefined();
  expect(result.findings.find(({ about }) => about === "privacy")).toMatchInlineSnapshot(`
    {
      "about": "privacy",
      "kind": "uncertain",
      "text": "Whether generated rows repeat training rows is not tested, because the training rows are not known.",
    }
  `);
});

it("refuses tables with too few rows, and a report without real rows beside the held-out ones", async () => {
  await expect(
    report(model, { training, heldOut: heldOut.slice(0, 5) }),
  ).rejects.toThrowErrorMatchingInlineSnapshot(`
    [PushforwardError: there are too few held-out rows for a report: expected 10 rows or more with a finite log-density, received 5.
    Give a table with more rows.]
  `);
  await expect(
    report(model, { training, heldOut }, { maxRows: 9 }),
  ).rejects.toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: the option maxRows of report has an invalid value: expected 10, 11, 12, ..., received 9.]`,
  );
  await expect(report(model, { heldOut })).rejects.toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: a report needs training rows, or reference rows in their place.]`,
  );
});

it("a classifier that separates all rows has failed the two-sample test, although its interval has no width", () => {
  const shifted = heldOut.map((row) => ({ ...row, x: Number(row.x) + 100 }));
  const generated = twoSample(heldOut, shifted);
  expect(generated.interval).toEqual([1, 1]);
  const all = findings({ ...own, twoSample: { ...own.twoSample, generated } });
  expect(all.find(({ about }) => about === "two-sample test")).toMatchObject({
    kind: "failed",
    text: expect.stringMatching(
      /^A classifier tells generated rows from real ones, mostly by x, .*: AUROC 1\.00/,
    ),
  });
});

it("a two-sample test of so few rows that trees cannot split them is uncertain", () => {
  const generated = twoSample(heldOut.slice(0, 12), heldOut.slice(12, 24));
  const all = findings({ ...own, twoSample: { ...own.twoSample, generated } });
  expect(all.find(({ about }) => about === "two-sample test")).toMatchObject({
    kind: "uncertain",
    text: "There are too few rows for a classifier that could tell generated rows from real ones.",
  });
});

it("a copy among few generated rows may be chance", () => {
  const { generated } = own.privacy!;
  const copies = (share: number) => ({ ...generated.generated, copies: share });
  const privacy = {
    ...own.privacy!,
    generated: { ...generated, generated: copies(1 / 20), heldOut: copies(0.005) },
  };
  const kindOf = (rows: number) =>
    findings({ ...own, privacy, rows: { ...own.rows, compared: 2000, generated: rows } }).find(
      ({ about }) => about === "privacy",
    )?.kind;
  expect([kindOf(20), kindOf(2000)]).toEqual(["passed", "failed"]);
});

describe("a number that could not be computed", () => {
  const kindsOf = (changed: Partial<ReportNumbers>) =>
    Object.fromEntries(findings({ ...own, ...changed }).map(({ about, kind }) => [about, kind]));
  const unknown = { value: Number.NaN, standardError: Number.NaN };

  it("is an uncertain finding, not one that passed", () => {
    const { twoSample, usefulness, baselines } = own;
    const nothing = {
      ...twoSample.generated,
      auroc: Number.NaN,
      interval: [Number.NaN, Number.NaN] as const,
    };
    expect(kindsOf({ twoSample: { ...twoSample, generated: nothing } })).toMatchObject({
      "two-sample test": "uncertain",
    });
    const useless = { ...usefulness!.generated, difference: unknown };
    expect(kindsOf({ usefulness: { ...usefulness!, generated: useless } })).toMatchObject({
      usefulness: "uncertain",
    });
    const gain = { count: 120, mean: Number.NaN, standardError: Number.NaN };
    expect(kindsOf({ baselines: [{ ...baselines[0]!, gain }] })).toMatchObject({
      "log-density": "uncertain",
    });
  });

  it("an infinite gain over independent columns is clear", () => {
    const gain = { count: 120, mean: Number.POSITIVE_INFINITY, standardError: Number.NaN };
    const baselines = [{ ...own.baselines[0]!, gain }];
    const found = findings({ ...own, baselines }).find(({ about }) => about === "log-density");
    expect(found).toMatchObject({
      kind: "passed",
      text: expect.stringContaining("consider some of them impossible"),
    });
  });
});

it("counts held-out rows that lack a value apart from impossible ones", async () => {
  const odd = [...heldOut, { x: null, y: 1, label: "left" }];
  const { numbers } = await report(model, { training, heldOut: odd, generated: training }, { maxRows: 60 });
  expect(numbers.rows).toMatchObject({ heldOut: 120, impossible: 0, incomplete: 1 });
  expect(
    numbers.findings.filter(({ about }) => about === "rows").map(({ text }) => text),
  ).toMatchInlineSnapshot(`
    [
      "1 of 121 held-out rows have no log-density, because they lack a value in a column that had no missing values in training.",
      "There are only 120 held-out rows: small differences cannot be detected, and intervals are wide.",
    ]
  `);
});

it("compares random rows of a sorted table of generated rows", async () => {
  const generated = curveRows(400, 6).toSorted((a, b) => Number(a.x) - Number(b.x));
  const { numbers, generated: used } = await report(
    model,
    { training, heldOut, generated },
    { maxRows: 100 },
  );
  // The first quarter of the sorted rows has only small numbers.
  expect(numbers.twoSample.generated.auroc).toBeLessThan(0.65);
  expect(used).toHaveLength(400);
});
