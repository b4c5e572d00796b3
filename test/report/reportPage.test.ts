import { beforeAll, expect, it } from "vitest";
import { reportPage } from "../../src/report/index.ts";
import { fixed } from "../../src/report/page/html.ts";
import { marginalFigure } from "../../src/report/page/marginalFigure.ts";
import { openCanvas } from "../../src/report/sheet.ts";
import { type ReportResult, report } from "../../src/tables/evaluate/index.ts";
import type { TableModel } from "../../src/tables/model/tableModel.ts";
import { curveRows, latentClassModel } from "../evaluate/latentClassModel.ts";

const rename = (rows: ReturnType<typeof curveRows>) =>
  rows.map(({ x, y, label }, n) => ({
    "<script>alert(1)</script>": x,
    y,
    label,
    day: new Date(Date.UTC(2024, 0, 1 + ((n * 37) % 200))).toISOString().slice(0, 10),
    second: Number(x) > 0.5 ? "high & low" : "low",
  }));
const [training, heldOut] = [rename(curveRows(120, 1)), rename(curveRows(60, 2))];

let model: TableModel;
let result: ReportResult;
let page: string;
beforeAll(async () => {
  model = await latentClassModel(training, 4);
  result = await report(model, { training, heldOut }, { maxRows: 60 });
  page = await reportPage({ ...result, title: "A <model>", columns: model.columns });
});

it("is one document without scripts and without anything from elsewhere", () => {
  expect(page.startsWith("<!doctype html>")).toBe(true);
  expect(page).not.toMatch(/<script|<link|<img|@import|url\(["']?(?!#)/i);
  expect(page.replaceAll("http://www.w3.org/", "")).not.toMatch(/https?:/);
  expect(page).toContain("<h1>A &#60;model&#62;</h1>");
});

it.each([
  [Number.POSITIVE_INFINITY, "\u221e"],
  [Number.NEGATIVE_INFINITY, "\u2212\u221e"],
  [Number.NaN, "\u2013"],
  [-0.5, "\u22120.50"],
])("writes %d as %s", (value, text) => {
  expect(fixed(value, 2)).toBe(text);
});

it("begins with the findings", () => {
  const text = (html: string) => html.replace(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code)));
  const shown = [...page.matchAll(/<li class="\w+"><b>[^<]*<\/b><span>([^<]*)</g)].map(([, each]) =>
    text(each!),
  );
  expect(shown).toEqual(result.numbers.findings.map((finding) => finding.text));
  expect(page.indexOf("findings")).toBeLessThan(page.indexOf("<h2>"));
});

it("has a text for every figure, and columns of every kind", () => {
  const figures = page.match(/<svg[^>]*>/g)!;
  const titles = [...page.matchAll(/<svg[^>]*role="img"[^>]*><title>([^<]+)<\/title>/g)].map(
    ([, each]) => each!,
  );
  expect(titles.length).toBe(figures.length);
  expect(titles.length).toBeGreaterThan(15);
  for (const start of [
    "Histograms of day",
    "Shares of the labels of label",
    "Scatter plot",
    "Medians of",
    "Shares of second",
    "PIT histogram of day",
    "AUROC of",
  ])
    expect(
      titles.some((title) => title.startsWith(start)),
      start,
    ).toBe(true);
});

it("says which values are improbable given the others, and which are rare in the whole table", async () => {
  const { numbers } = result;
  const reason = {
    column: "y",
    value: 9,
    gain: 5,
    expected: { median: 1, interval: [0, 2] as const, missing: 0 },
  };
  const rareRows = [true, false].map((conditional) => ({
    row: { y: 9, day: new Date(Date.UTC(2024, 0, 31)) },
    logDensity: -20,
    reasons: [{ ...reason, conditional }],
  }));
  const html = await reportPage({
    ...{ ...result, numbers: { ...numbers, rareRows } },
    ...{ title: "Rare", columns: model.columns },
  });
  expect(html).toContain("y: expected 1 (0 to 2)<");
  expect(html).toContain("y: usually 1 (0 to 2)<");
  expect(html).toContain("day 2024-01-31");
});

it("has no histograms of columns without values on one side", async () => {
  const name = "missing";
  const none = new Float64Array(50).fill(Number.NaN);
  const some = Float64Array.from(none, (_, i) => i % 2);
  const canvas = await openCanvas();
  const scale = { range: [0, 1] as const, step: 1, isTime: false };
  for (const kind of [
    { labels: undefined, scale },
    { labels: undefined, scale: { ...scale, step: 0 } },
    { labels: ["a", "b"], scale: undefined },
  ]) {
    const figure = (real: Float64Array, generated: Float64Array) =>
      marginalFigure(canvas, { name, real, generated, ...kind });
    expect([figure(none, some), figure(some, none)]).toEqual(["", ""]);
    expect(figure(some, some)).toMatch(/^<svg.*missing/s);
  }
});

it("equal reports give equal pages", async () => {
  expect(await reportPage({ ...result, title: "A <model>", columns: model.columns })).toBe(page);
});
