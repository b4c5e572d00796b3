import { describe, expect, it } from "vitest";
import { parse } from "../../src/parse.ts";
import type { ColumnOptions } from "../../src/tables/columnOptions.ts";
import { describeColumn, statedOptions } from "../../src/tables/describeColumn.ts";
import { inferColumn } from "../../src/tables/inferColumn.ts";
import { type RawColumn, type TableColumn, tableColumnSchema } from "../../src/tables/tableColumn.ts";
import { normal, numbers, sequence, texts, times, uniform } from "./rawColumns.ts";

/** The inferred column, which has the form of those in model files. */
function infer(raw: RawColumn, options?: ColumnOptions): TableColumn {
  const inferred = inferColumn(raw, options);
  if ("excluded" in inferred) throw new Error(inferred.excluded);
  return parse(tableColumnSchema, inferred.column, "a column");
}
/** The kind of a column, or why it is left out. */
function kind(raw: RawColumn, options?: ColumnOptions): string {
  const inferred = inferColumn(raw, options);
  return "excluded" in inferred ? inferred.excluded : describeColumn(inferred.column).kind;
}

describe("numbers", () => {
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

  it("that are irregular and all repeat are labels, and else continuous", () => {
    const doses = [0.1, 0.333333333333, 2.5, 1e7];
    const raw = numbers(sequence(200, (i) => doses[i % 4]!));
    expect(infer(raw)).toMatchObject({ kind: "categorical", labels: doses.map(String) });
    const interpolated = numbers(sequence(200, (i) => (i === 50 ? 14.666666666666666 : i % 30)));
    expect(infer(interpolated).kind).toBe("continuous");
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

  it("above 2^53 and up to 1e30 apart are continuous, and larger ones are left out", () => {
    expect(
      kind(
        numbers(
          normal(100).map((x) => Math.round(x * 2 ** 60)),
          { type: "integer" },
        ),
      ),
    ).not.toMatch(/left|apart/);
    expect(kind(numbers(normal(100).map((x) => x * 1e20)))).toBe("heavy-tailed");
    expect(kind(numbers(normal(100).map((x) => x * 1e300)))).toBe(
      "numbers that are more than 1e+30 apart: divide them in a query",
    );
    expect(kind(numbers(normal(100).map((x) => x * 1e-40)))).toBe(
      "numbers that are less than 1e-30 apart: multiply them in a query",
    );
    expect(kind(numbers([1e300, -1e300]))).toMatch("more than 1e+30");
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

  it("are cyclic by their names", () => {
    expect(
      infer(
        numbers(
          sequence(100, (i) => i % 24),
          { name: "hour" },
        ),
      ),
    ).toMatchObject({ kind: "lattice", period: 24, first: 0, cells: 24 });
    expect(
      infer(
        numbers(
          uniform(100).map((u) => 360 * u),
          { name: "wind_dir" },
        ),
      ),
    ).toMatchObject({ period: 360, low: 0, high: 360 });
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

describe("columns that identify rows", () => {
  it("are left out: row numbers, identifiers, names", () => {
    const reasons = [
      numbers(
        sequence(100, (i) => i + 1),
        { name: "n" },
      ),
      numbers(
        sequence(100, (i) => (i * 37) % 100),
        { name: "shuffled" },
      ),
      numbers(
        uniform(100).map((u) => Math.floor(1e8 * u)),
        { name: "customer_id" },
      ),
      texts(sequence(100, (i) => `name ${i}`)),
    ].map((raw) => kind(raw));
    expect(reasons).toMatchInlineSnapshot(`
      [
        "integers that are nearly all different (100 in 100 rows) and leave no gaps, like row numbers",
        "integers that are nearly all different (100 in 100 rows) and leave no gaps, like row numbers",
        "integers that are nearly all different (100 in 100 rows), with the name of an identifier",
        "text whose values are nearly all different (100 in 100 rows)",
      ]
    `);
  });

  it("are learned if a kind is stated", () => {
    expect(kind(numbers(sequence(100, (i) => i + 1)), { kind: "integer" })).toBe("integer");
    expect(kind(texts(sequence(100, (i) => `name ${i}`)), { kind: "categorical" })).toBe("categorical");
  });

  it("are not years, measurements, dates, or columns of few rows", () => {
    expect(
      kind(
        numbers(
          sequence(71, (i) => 1950 + i),
          { name: "year" },
        ),
      ),
    ).toBe("integer");
    expect(
      kind(
        numbers(
          sequence(71, (i) => 1950 + i),
          { name: "season" },
        ),
      ),
    ).toBe("integer");
    expect(
      kind(
        numbers(
          uniform(100).map((u) => Math.floor(1e8 * u)),
          { name: "revenue" },
        ),
      ),
    ).toBe("positive");
    expect(
      kind(
        times(
          "date",
          sequence(60, (i) => new Date(86_400_000 * i).toISOString().slice(0, 10)),
        ),
      ),
    ).toBe("date");
    expect(kind(texts(["Ann", "Bob", "Eve"]))).toBe("categorical");
    expect(kind(numbers([1, 2, 3, 4, 5]))).toBe("integer");
  });

  it("include text with very many different values", () => {
    expect(kind(texts(sequence(6000, (i) => `label ${i % 3000}`)))).toBe("text with 3000 different values");
  });
});

describe("labels, booleans and constants", () => {
  it("are in the order of their frequency", () => {
    expect(infer(texts(["b", "a", "c", "c", null]))).toEqual({
      kind: "categorical",
      name: "x",
      type: "text",
      gaps: true,
      labels: ["c", "a", "b"],
    });
  });

  it("have any characters", () => {
    const labels = ["🎉", "née", "a,b", ' "', "\n"];
    expect((infer(texts([...labels, ...labels])) as { labels: string[] }).labels.sort()).toEqual(
      labels.sort(),
    );
  });

  it("are booleans with gaps", () => {
    expect(infer(numbers([1, 0, null, 1], { type: "boolean" }))).toMatchObject({
      type: "boolean",
      gaps: true,
      labels: ["false", "true"],
    });
  });

  it("are constant if all values are equal, or missing", () => {
    const value = (raw: RawColumn) => (infer(raw) as Extract<TableColumn, { kind: "constant" }>).value;
    expect(value(numbers([7, 7]))).toBe("7");
    expect(value(numbers([1.5]))).toBe("1.5");
    expect(value(numbers([null, null]))).toBeNull();
    expect(value(texts([null, null]))).toBeNull();
    expect(value(texts(["EUR", "EUR"]))).toBe("EUR");
    expect(value(numbers([1], { type: "boolean" }))).toBe("true");
    expect(value(times("date", ["2020-02-29"]))).toBe("2020-02-29");
    expect(value(numbers([]))).toBeNull();
  });

  it("have one label if a constant has gaps", () => {
    expect(infer(numbers([7, null, 7]))).toMatchObject({
      kind: "categorical",
      type: "number",
      gaps: true,
      labels: ["7"],
    });
    expect(infer(times("time", ["10:30", null]))).toMatchObject({
      kind: "categorical",
      labels: ["10:30:00"],
    });
  });
});

describe("stated kinds", () => {
  it("replace the inferred ones", () => {
    const ages = numbers(sequence(100, (i) => 20 + (i % 40)));
    expect(kind(ages, { kind: "categorical" })).toBe("categorical");
    expect(kind(ages, { kind: "continuous" })).toBe("continuous");
    expect(infer(ages, { kind: "positive" })).toMatchObject({ kind: "continuous", low: 0 });
    expect(infer(ages, { kind: "bounded", low: 10, high: 70 })).toMatchObject({ low: 10, high: 70 });
    expect(infer(ages, { kind: "integer", low: 18, high: 80 })).toMatchObject({
      kind: "lattice",
      first: 18,
      cells: 63,
    });
    expect(infer(ages, { kind: "cyclic", period: 40 })).toMatchObject({ kind: "lattice", period: 40 });
    expect(inferColumn(ages, { kind: "exclude" })).toEqual({ excluded: "as requested" });
    expect(kind(times("date", ["2020-01-01", "2020-01-02"]), { kind: "categorical" })).toBe("categorical");
  });

  it("are errors if the values do not have them", () => {
    const failure = (raw: RawColumn, options: ColumnOptions) => {
      try {
        inferColumn(raw, options);
      } catch (error) {
        return (error as Error).message;
      }
    };
    const x = numbers([0.25, 1 / 3, 7]);
    expect(failure(x, { kind: "integer" })).toMatchInlineSnapshot(`
      "column "x" cannot be integer: received the value 0.25.
      Use x=continuous or x=lattice."
    `);
    expect(failure(x, { kind: "lattice" })).toMatchInlineSnapshot(`
      "column "x" cannot be lattice: expected equally spaced values of at most 15 digits.
      Use x=continuous."
    `);
    expect(failure(numbers([0, 0.00001, 7]), { kind: "lattice" })).toMatchInlineSnapshot(`
      "column "x" has too many values for a lattice: expected at most 131072, a third of them between its smallest and its largest value, received 1400001 with the step 0.00001.
      Use x=continuous: samples are rounded to the decimals of the data."
    `);
    expect(failure(x, { kind: "date" })).toMatchInlineSnapshot(`
      "column "x" cannot be date: expected continuous or integer or lattice or categorical or exclude, received values of the type number.
      State another kind, or convert the column in a query."
    `);
    expect(failure(x, { kind: "constant" })).toMatchInlineSnapshot(
      `"column "x" cannot be constant: expected one value in all rows, received 3 different values."`,
    );
    expect(failure(x, { kind: "bounded", low: 0, high: 1 })).toMatchInlineSnapshot(`
      "column "x" has values outside its bounds: expected values from 0 to 1, received values from 0.25 to 7.
      Correct the bounds, or leave such rows out in a query."
    `);
    expect(failure(numbers([-1, 2, 3]), { kind: "positive" })).toMatchInlineSnapshot(`
      "column "x" has values outside its bounds: expected at least 0, received values from -1 to 3.
      Correct the bounds, or leave such rows out in a query."
    `);
    expect(failure(numbers([1, 2, 30]), { kind: "integer", high: 10 })).toMatchInlineSnapshot(`
      "column "x" has values outside its bounds: expected at most 10, received values from 1 to 30.
      Correct the bounds, or leave such rows out in a query."
    `);
    expect(failure(texts(["a", "b"]), { kind: "continuous" })).toMatchInlineSnapshot(`
      "column "x" cannot be continuous: expected categorical or exclude, received values of the type text.
      State another kind, or convert the column in a query."
    `);
    expect(failure(numbers([0, 1], { type: "boolean" }), { kind: "date" })).toMatchInlineSnapshot(`
      "column "x" cannot be date: expected boolean or categorical or exclude, received values of the type boolean.
      State another kind, or convert the column in a query."
    `);
    expect(failure(times("time", ["10:00", "11:00"]), { kind: "date" })).toMatchInlineSnapshot(`
      "column "x" cannot be date: expected time or categorical or exclude, received values of the type time.
      State another kind, or convert the column in a query."
    `);
  });

  it("that state what was inferred give the same column", () => {
    const columns = [
      numbers(normal(300)),
      numbers(uniform(300)),
      numbers(uniform(300).map((u) => -Math.log(u))),
      numbers(normal(500).map((x) => Math.min(1, x))),
      numbers(uniform(2000).map((u) => Math.tan(Math.PI * (u - 0.5)))),
      numbers(normal(300).map((x) => Math.round(10 * x))),
      numbers(normal(300).map((x) => Math.round(10 * x) / 4)),
      numbers(
        sequence(100, (i) => i % 24),
        { name: "hour" },
      ),
      numbers(
        uniform(100).map((u) => 360 * u),
        { name: "wind_dir" },
      ),
      numbers(sequence(200, (i) => [0.1, 1 / 3, 7][i % 3]!)),
      numbers([1, 0, null], { type: "boolean" }),
      texts(["a", "b", "a", null]),
      times("timestamp", ["2020-01-01 10:00", "2020-01-03 11:30"]),
      times("time", ["10:00", "10:30"]),
      times("date", ["2020-01-31", "2020-02-29", "2021-03-31"]),
      numbers([5, 5]),
    ];
    for (const raw of columns) {
      const column = infer(raw);
      expect(infer(raw, statedOptions(column))).toEqual(column);
    }
  });
});

it("infers a column of a million rows", () => {
  expect(kind(numbers(uniform(1_000_000).map((u) => Math.round(1e6 * u) / 1e6)))).toBe("bounded");
});
