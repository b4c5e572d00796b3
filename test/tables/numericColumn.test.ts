import { describe, expect, it } from "vitest";
import { encodeColumn } from "../../src/tables/columns/encode.ts";
import type { ContinuousColumn, TableColumn } from "../../src/tables/columns/tableColumn.ts";
import { infer, kind } from "./infer.ts";
import { normal, numbers, sequence, uniform } from "./rawColumns.ts";

describe("numbers", () => {
  it("are labels if they are integers that are far apart, such as codes", () => {
    const codes = [408, 415, 510];
    const repeated = numbers(sequence(300, (i) => codes[i % 3]!));
    expect(infer(repeated)).toMatchObject({
      kind: "categorical",
      labels: ["408", "415", "510"],
    });
    expect(kind(repeated, { kind: "integer" })).toBe("integer");
    expect(kind(repeated, { low: 0 })).toBe("integer");
    // A code in one row, and amounts in steps of 100.
    expect(kind(numbers(sequence(300, (i) => (i === 0 ? 700 : codes[i % 3]!))))).toBe("integer");
    expect(kind(numbers(sequence(300, (i) => 100 * (i % 3))))).toBe("lattice");
  });

  it("are not integers beyond 64 bits", () => {
    const column = infer(numbers(sequence(400, (i) => 1e21 * i)));
    expect(column).toMatchObject({ kind: "continuous", type: "number" });
    expect(infer(numbers(sequence(400, (i) => 2e15 * i)))).toMatchObject({ type: "integer" });
  });

  it("are continuous if they do not repeat", () => {
    expect(infer(numbers(normal(500)))).toMatchObject({
      kind: "continuous",
      gaps: false,
      scale: { type: "linear" },
    });
    expect(kind(numbers(normal(5)))).toBe("continuous");
  });

  it("are heavy-tailed if that fits held-out values better", () => {
    const cauchy = uniform(2000).map((u) => Math.tan(Math.PI * (u - 0.5)));
    expect(kind(numbers(cauchy))).toBe("heavy-tailed");
  });

  it("are positive if none is negative and some are close to 0", () => {
    expect(infer(numbers(uniform(300).map((u) => -5 * Math.log(u))))).toMatchObject({
      low: 0,
      scale: { type: "log" },
    });
    expect(kind(numbers(normal(300).map((x) => 100 + x)))).toBe("continuous");
    // Three positive numbers do not show that there are no others.
    expect(kind(numbers([0.01, 2.345, 7.891]))).toBe("continuous");
  });

  it("are bounded if they fill the range from 0 to 1, or are percentages", () => {
    expect(infer(numbers(uniform(300)))).toMatchObject({ low: 0, high: 1, scale: { type: "logit" } });
    const upTo98 = uniform(300).map((u) => 98 * u);
    expect(kind(numbers(upTo98, { name: "percent_done" }))).toBe("bounded");
    expect(kind(numbers(upTo98, { name: "spent" }))).toBe("positive");
  });

  it("are bounded by values that many rows have at an end", () => {
    const capped = normal(500).map((x) => Math.min(1, x));
    expect(infer(numbers(capped))).toMatchObject({
      kind: "continuous",
      high: 1,
      scale: { type: "reversedLog" },
    });
    expect(infer(numbers(capped.map((x) => Math.max(-1, x))))).toMatchObject({ low: -1, high: 1 });
  });

  it("keep codes for missing values apart from their bounds", () => {
    const raw = numbers(uniform(300).map((u, i) => (i % 10 === 0 ? -999 : 5 * u)));
    expect(infer(raw)).toMatchObject({ kind: "continuous", low: 0, codes: [-999] });
  });

  it("have codes at the limits of signed integers, but not at the negated limits of unsigned ones", () => {
    const withCode = (code: number) => numbers(uniform(300).map((u, i) => (i % 100 === 0 ? code : 5 * u)));
    for (const code of [-(2 ** 15), -(2 ** 31)])
      expect(infer(withCode(code))).toMatchObject({ codes: [code] });
    for (const code of [-(2 ** 16), -(2 ** 32)]) expect(infer(withCode(code))).not.toHaveProperty("codes");
  });

  it("with two decimals stay when nearly all differ, and are rounded to them", () => {
    const amounts = uniform(1000).map((u) => Math.round(-1e5 * Math.log(u)) / 100);
    expect(infer(numbers(amounts, { name: "amount" }))).toMatchObject({ kind: "continuous", decimals: 2 });
  });

  it("are a lattice if they are equally spaced and repeat", () => {
    const raw = numbers(normal(500).map((x) => Math.round(40 + 10 * x) / 10));
    expect(infer(raw)).toMatchObject({ kind: "lattice", step: 0.1, decimals: 1 });
    expect(infer(numbers(sequence(100, (i) => 25 * (i % 13) + 5)))).toMatchObject({
      first: 5,
      step: 25,
      type: "integer",
    });
  });

  it("of a lattice include bounds whose distance in steps is rounded", () => {
    const tenths = (from: number, to: number, name = "x") =>
      numbers(
        sequence(1000, (i) => (from + (i % (to - from + 1))) / 10),
        { name },
      );
    // (0.3 - 0.6) / 0.1 is -2.9999999999999996.
    const column = infer(tenths(6, 12), { low: 0.3, high: 1.5 });
    expect(column).toMatchObject({ kind: "lattice", cells: 13 });
    expect([...encodeColumn(column, Float64Array.of(0.3, 1.5))[0]!]).toEqual([0, 12]);
    // The day ends at 24 - 0.1, and 23.9 / 0.1 is 238.99999999999997.
    const hours = infer(tenths(0, 238, "hour"));
    expect([...encodeColumn(hours, Float64Array.of(0, 23.9))[0]!]).toEqual([0, 239]);
  });

  it("that are irregular and all repeat are labels, and else continuous", () => {
    const doses = [0.1, 0.333333333333, 2.5, 1e7];
    const raw = numbers(sequence(200, (i) => doses[i % 4]!));
    expect(infer(raw)).toMatchObject({ kind: "categorical", labels: doses.map(String) });
    const interpolated = numbers(sequence(200, (i) => (i === 50 ? 14.666666666666666 : i % 30)));
    expect(infer(interpolated).kind).toBe("continuous");
  });

  it("of a lattice have a scale on which they are nearly logistic", () => {
    const scale = (values: number[], name = "x") =>
      (infer(numbers(values, { name })) as Extract<TableColumn, { kind: "lattice" }>).scale;
    expect(scale(normal(1500).map((x) => Math.floor(20 * Math.exp(x))))).toEqual({ type: "log", low: -1 });
    // A quantile map fits equal frequencies a little better on a logarithmic scale, on which their distribution is skewed.
    expect(scale(uniform(150).map((u) => 18 + Math.floor(72 * u)))).toEqual({ type: "linear" });
    // The logit of a uniform distribution on an interval is logistic.
    const percentages = uniform(1500).map((u) => Math.floor(101 * u));
    expect(scale(percentages, "percent_done")).toEqual({ type: "logit", low: -1, high: 101 });
  });

  it("that are integers are a lattice that goes beyond the data, unless many rows are at an end", () => {
    const ages = numbers(normal(500).map((x) => Math.max(17, Math.round(40 + 12 * x))));
    const column = infer(ages) as Extract<TableColumn, { kind: "lattice" }>;
    expect(column).toMatchObject({ kind: "lattice", first: 17, step: 1, type: "integer" });
    expect(column.first + column.cells - 1).toBeGreaterThan(Math.max(...ages.values) + 10);
  });

  it("are integers if they have no decimals, whatever their type", () => {
    expect(infer(numbers(sequence(50, (i) => i % 7)))).toMatchObject({ type: "integer" });
  });

  it("in very many different integers are continuous, with samples that are integers", () => {
    const raw = numbers(
      uniform(500).map((u) => Math.round(1e6 * u * u)),
      { type: "integer", name: "population" },
    );
    expect(infer(raw)).toMatchObject({ kind: "continuous", type: "integer", decimals: 0, low: 0 });
  });

  it("above 2^53 with a range of up to 1e30 are continuous, and larger ones are left out", () => {
    expect(
      kind(
        numbers(
          normal(100).map((x) => Math.round(x * 2 ** 60)),
          { type: "integer" },
        ),
      ),
    ).not.toMatch(/left|range/);
    expect(kind(numbers(normal(100).map((x) => x * 1e20)))).toBe("heavy-tailed");
    expect(kind(numbers(normal(100).map((x) => x * 1e300)))).toBe(
      "numbers with a range above 1e+30: divide them",
    );
    expect(kind(numbers(normal(100).map((x) => x * 1e-40)))).toBe(
      "numbers with a range below 1e-30: multiply them",
    );
    expect(kind(numbers([1e300, -1e300]))).toMatch("range above 1e+30");
  });

  it("have a scale if half of them are equal", () => {
    const raw = numbers(
      normal(400).map((x, i) => (i % 4 === 0 ? 1e-6 * x : 0)),
      {},
    );
    expect(infer(raw)).toMatchObject({ kind: "continuous" });
    expect(infer(raw, { kind: "heavy-tailed" })).toMatchObject({ scale: { type: "asinh" } });
    const { scale } = infer(raw, { kind: "heavy-tailed" }) as { scale: { unit: number } };
    expect(scale.unit).toBeLessThan(1e-4);
  });

  it("-0 and 0 are equal", () => {
    expect(infer(numbers([-0, 0, -0]))).toEqual({
      kind: "constant",
      name: "x",
      type: "number",
      gaps: false,
      value: "0",
    });
  });

  it("keep inferred properties where an option is undefined", () => {
    const undefinedOptions = { kind: undefined, low: undefined, high: undefined, period: undefined };
    for (const column of [
      numbers(
        sequence(300, (i) => 1 + (i % 12)),
        { name: "month" },
      ),
      numbers(
        uniform(300).map((u) => 360 * u),
        { name: "wind_dir" },
      ),
    ])
      expect(infer(column, undefinedOptions)).toEqual(infer(column));
  });

  it("are cyclic by their names", () => {
    expect(
      infer(
        numbers(
          sequence(100, (i) => i % 24),
          { name: "hour" },
        ),
      ),
    ).toMatchObject({ kind: "lattice", period: 24, first: 0, cells: 24 });
    const timeOfDay = numbers(
      uniform(100).map((u) => 24 * u),
      { name: "hour" },
    );
    expect(infer(timeOfDay)).toMatchObject({ kind: "continuous", period: 24, low: 0, high: 24 });
    const upTo24 = numbers(
      sequence(100, (i) => 1 + (i % 24)),
      { name: "hour" },
    );
    expect(infer(upTo24)).toMatchObject({ kind: "lattice", period: 24, first: 1, cells: 24 });
    expect(
      infer(
        numbers(
          uniform(100).map((u) => 360 * u),
          { name: "wind_dir" },
        ),
      ),
    ).toMatchObject({ period: 360, low: 0, high: 360 });
    const aroundNorth = numbers(
      normal(500).map((x) => (720 + 40 * x) % 360),
      { name: "wind_dir" },
    );
    const circle = infer(aroundNorth) as ContinuousColumn;
    // It is cut in the south, where no value is, so that values on both sides of the north are neighbors.
    expect(circle.cut).toBeGreaterThan(100);
    expect(circle.cut).toBeLessThan(260);
    const withBoth = numbers(
      uniform(500).map((u, i) => (i % 10 === 0 ? 0 : i % 10 === 1 ? 360 : 360 * u)),
      { name: "wind_dir" },
    );
    expect(infer(withBoth)).not.toHaveProperty("cut");
    const [[before, after, north]] = encodeColumn(circle, Float64Array.of(359.5, 0.5, 360)) as [Float64Array];
    expect(after! - before!).toBeCloseTo(1, 10);
    expect(north! - before!).toBeCloseTo(0.5, 10);
    expect(
      infer(
        numbers(
          sequence(100, (i) => i % 24),
          { name: "rooms" },
        ),
      ),
    ).not.toHaveProperty("period");
    expect(
      infer(
        numbers(
          sequence(100, (i) => 1 + (i % 12)),
          { name: "month" },
        ),
      ),
    ).toMatchObject({ first: 1, cells: 12 });
    expect(
      infer(
        numbers(
          sequence(90, (i) => 10 * (i % 36)),
          { name: "wind_dir" },
        ),
      ),
    ).toMatchObject({ first: 0, cells: 36 });
    expect(infer(numbers(sequence(90, (i) => i % 50)), { kind: "cyclic", period: 7 })).toMatchObject({
      cells: 99,
      period: 7,
    });
    // 0 to 30 is no direction.
    expect(
      infer(
        numbers(
          uniform(100).map((u) => 30 * u),
          { name: "angle" },
        ),
      ),
    ).not.toHaveProperty("period");
  });
});

it("infers a column of a million rows", () => {
  expect(kind(numbers(uniform(1_000_000).map((u) => Math.round(1e6 * u) / 1e6)))).toBe("bounded");
});
