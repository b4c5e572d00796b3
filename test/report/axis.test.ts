import { describe, expect, it } from "vitest";
import { axis, axisRange } from "../../src/report/axis.ts";
import { sortFinite } from "../../src/report/sortFinite.ts";
import { textWidth } from "../../src/report/style.ts";
import { gaussians } from "./figures.ts";

const range = (values: number[]) => axisRange(sortFinite(values));
const tickTexts = (from: number, to: number, pixels = 300) =>
  axis("a", [from, to])
    .ticks("horizontal", pixels, 10)
    .map(({ text }) => text);

describe("axisRange", () => {
  it("contains all data if there are no outliers", () => {
    const values = Array.from({ length: 2000 }, gaussians(1));
    const [lower, upper] = range(values);
    expect(lower).toBeLessThan(Math.min(...values));
    expect(upper).toBeGreaterThan(Math.max(...values));
    expect(upper - lower).toBeLessThan(1.2 * (Math.max(...values) - Math.min(...values)));
  });

  it.each([30, 300, 3000])("does not depend on one outlier among %i values", (n) => {
    const values = Array.from({ length: n }, gaussians(2));
    for (const outlier of [1e9, -1e9]) {
      const [lower, upper] = range([...values, outlier]);
      expect(lower).toBeGreaterThan(-6);
      expect(upper).toBeLessThan(6);
    }
  });

  it("has a margin around a constant, and ignores values that are not finite", () => {
    expect(range([5, 5, 5])).toEqual([4.5, 5.5]);
    expect(range([0])).toEqual([-1, 1]);
    expect(range([5, Number.NaN, 5, Number.POSITIVE_INFINITY])).toEqual([4.5, 5.5]);
  });
});

describe("axis", () => {
  it.each([
    { from: -3.2, to: 4.1, factor: "", texts: ["−3", "−2", "−1", "0", "1", "2", "3", "4"] },
    { from: 0, to: 48_000, factor: "×10³", texts: ["0", "10", "20", "30", "40"] },
    { from: 0, to: 4.4e-6, factor: "×10⁻⁶", texts: ["0", "1", "2", "3", "4"] },
    { from: -2e12, to: 1e12, factor: "×10¹²", texts: ["−1.5", "−1.0", "−0.5", "0", "0.5"] },
    { from: 1_700_000_001, to: 1_700_000_009, factor: "+ 1,700,000,000", texts: [..."123456789"] },
    { from: -5003, to: -5000.5, factor: "− 5,010", texts: ["7.5", "8.0", "8.5", "9.0"] },
    {
      from: 0.12345,
      to: 0.12349,
      factor: "×10⁻⁶ + 0.1234",
      texts: ["55", "60", "65", "70", "75", "80", "85"],
    },
  ])("writes $from to $to as $factor $texts", ({ from, to, factor, texts }) => {
    expect(axis("a", [from, to]).factor).toBe(factor);
    expect(tickTexts(from, to)).toEqual(texts);
  });

  it("returns ticks in data units", () => {
    const ticks = axis("a", [1_700_000_000, 1_700_000_900]).ticks("horizontal", 300, 10);
    expect(ticks.find(({ text }) => text === "400")!.value).toBe(1_700_000_400);
  });

  it.each([60, 106, 190, 560])("has tick labels that do not overlap, for %i pixels", (pixels) => {
    for (const [from, to] of [
      [-200, 180],
      [0.001, 0.998],
      [9990, 9999],
      [-1.08, 1.08],
      [3, 1e7],
    ] as const) {
      const ticks = axis("a", [from, to]).ticks("horizontal", pixels, 10.5);
      const places = ticks.map(({ value, text }) => {
        const centre = (pixels * (value - from)) / (to - from);
        return [centre - textWidth(text, 10.5) / 2, centre + textWidth(text, 10.5) / 2] as const;
      });
      expect(ticks.length).toBeGreaterThan(0);
      expect(places[0]![0]).toBeGreaterThanOrEqual(-4.01);
      expect(places.at(-1)![1]).toBeLessThanOrEqual(pixels + 4.01);
      for (let k = 1; k < places.length; k++) expect(places[k]![0] - places[k - 1]![1]).toBeGreaterThan(6);
    }
  });

  it("has only integers as ticks of integers", () => {
    expect(
      axis("epoch", [1, 3], 1)
        .ticks("horizontal", 500, 10)
        .map(({ text }) => text),
    ).toEqual(["1", "2", "3"]);
  });
});
