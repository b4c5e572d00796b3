import { describe, expect, it } from "vitest";
import type { ColumnOptions } from "../../src/tables/columns/columnOptions.ts";
import { optionsOfColumn } from "../../src/tables/columns/describeColumn.ts";
import { inferColumn } from "../../src/tables/columns/inferColumn.ts";
import type { RawColumn, TableColumn } from "../../src/tables/columns/tableColumn.ts";
import { infer, kind } from "./infer.ts";
import { normal, numbers, sequence, texts, times, uniform } from "./rawColumns.ts";

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
        "consecutive integers that are nearly all different (100 in 100 rows), like row numbers",
        "consecutive integers that are nearly all different (100 in 100 rows), like row numbers",
        "integers that are nearly all different (100 in 100 rows), with the name of an identifier",
        "text whose values are nearly all different (100 in 100 rows)",
      ]
    `);
  });

  it("have the names of identifiers, which amounts have not", () => {
    const kindOf = (name: string) =>
      kind(
        numbers(
          uniform(500).map((u) => Math.floor(1e8 * u)),
          { name },
        ),
      );
    for (const name of [
      "order_id",
      "Customer ID",
      "orderNo",
      "userId",
      "PID",
      "invoice_number",
      "row_index",
      "zip code",
    ])
      expect([name, kindOf(name)]).toEqual([name, expect.stringContaining("the name of an identifier")]);
    for (const name of ["paid", "bid", "grid", "humid", "price_index", "sold_number", "number", "casino"])
      expect([name, kindOf(name)]).toEqual([name, expect.not.stringContaining("identifier")]);
  });

  it("are kept if a kind is stated", () => {
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

  it("include text with thousands of different values, also if each occurs several times", () => {
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

  it("can be booleans with missing values", () => {
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

  it("have one label if a constant has missing values", () => {
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
  const failure = (raw: RawColumn, options: ColumnOptions) => {
    try {
      inferColumn(raw, options);
    } catch (error) {
      return (error as Error).message;
    }
  };

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

  it("are numbers, not labels, if a bound is stated", () => {
    const repeated = numbers(sequence(200, (i) => [0.1, 1 / 3, 7][i % 3]!));
    expect(infer(repeated)).toMatchObject({ kind: "categorical" });
    expect(infer(repeated, { low: 0 })).toMatchObject({ kind: "continuous", low: 0 });
  });

  it("are rejected if the values do not agree with them", () => {
    const x = numbers([0.25, 1 / 3, 7]);
    expect(failure(x, { kind: "integer" })).toMatchInlineSnapshot(`
      "column "x" cannot be integer: received the value 0.25.
      State the kind continuous or lattice."
    `);
    expect(failure(x, { kind: "lattice" })).toMatchInlineSnapshot(`
      "column "x" cannot be lattice: expected equally spaced values of at most 15 digits.
      State the kind continuous."
    `);
    expect(failure(numbers([0, 0.00001, 7]), { kind: "lattice" })).toMatchInlineSnapshot(`
      "column "x" has too many values for a lattice: expected at most 131072 cells, received 1400001 cells with the step 0.00001 (the lattice extends beyond the values by their range).
      State the kind continuous: samples are rounded to the decimals of the data."
    `);
    expect(failure(x, { kind: "date" })).toMatchInlineSnapshot(`
      "column "x" cannot be date: expected continuous or integer or lattice or positive or bounded or heavy-tailed or cyclic or categorical or boolean or exclude, received values of the type number.
      State another kind, or convert the column."
    `);
    const bounds = { low: 0, period: 7 };
    expect(failure(texts(["a", "b"]), bounds)).toMatchInlineSnapshot(`
      "low, high and period have no effect on the kind categorical of column "x": received low: 0, period: 7.
      Leave them out, or state a kind of numbers, such as integer."
    `);
    expect(failure(numbers([0, 1], { type: "boolean" }), { high: 1 })).toMatchInlineSnapshot(`
      "low, high and period have no effect on the kind categorical of column "x": received high: 1.
      Leave them out, or state a kind of numbers, such as integer."
    `);
    expect(failure(times("date", ["2020-01-31", "2020-02-29"]), { low: 0 })).toMatchInlineSnapshot(`
      "low, high and period have no effect on the kind date of column "x": received low: 0.
      Leave them out, or state a kind of numbers, such as integer."
    `);
    expect(failure(numbers([1, 2, 4]), { kind: "categorical", low: 0 })).toMatchInlineSnapshot(`
      "low, high and period have no effect on the kind categorical of column "x": received low: 0.
      Leave them out, or state a kind of numbers, such as integer."
    `);
    expect(failure(x, { kind: "constant" })).toMatchInlineSnapshot(
      `"column "x" cannot be constant: expected one value in all rows, received 3 different values."`,
    );
    expect(failure(x, { kind: "bounded", low: 0, high: 1 })).toMatchInlineSnapshot(`
      "column "x" has values outside its bounds: expected values from 0 to 1, received values from 0.25 to 7.
      Correct the bounds, or leave such rows out."
    `);
    expect(failure(numbers([-1, 2, 3]), { kind: "positive" })).toMatchInlineSnapshot(`
      "column "x" has values outside its bounds: expected at least 0, received values from -1 to 3.
      Correct the bounds, or leave such rows out."
    `);
    expect(failure(numbers([1, 2, 30]), { kind: "integer", high: 10 })).toMatchInlineSnapshot(`
      "column "x" has values outside its bounds: expected at most 10, received values from 1 to 30.
      Correct the bounds, or leave such rows out."
    `);
    expect(failure(texts(["a", "b"]), { kind: "continuous" })).toMatchInlineSnapshot(`
      "column "x" cannot be continuous: expected boolean or categorical or exclude, received the text 'a' in row 1.
      State another kind, or convert the column."
    `);
    expect(failure(numbers([0, 1], { type: "boolean" }), { kind: "date" })).toMatchInlineSnapshot(`
      "column "x" cannot be date: expected boolean or categorical or exclude, received values of the type boolean.
      State another kind, or convert the column."
    `);
    expect(failure(times("time", ["10:00", "11:00"]), { kind: "date" })).toMatchInlineSnapshot(`
      "column "x" cannot be date: expected time or categorical or exclude, received values of the type time.
      State another kind, or convert the column."
    `);
  });

  it("may state that two words or numbers are booleans, which keep their spelling", () => {
    const boolean = { kind: "boolean" } as const;
    expect(infer(texts(["Yes", "NO", null, "NO"]), boolean)).toEqual({
      kind: "categorical",
      name: "x",
      type: "text",
      isBoolean: true,
      gaps: true,
      labels: ["NO", "Yes"],
    });
    for (const pair of [
      ["y", "n"],
      ["TRUE", "FALSE"],
      ["t", "f"],
      ["1", "0"],
    ]) {
      const raw = texts([...pair, pair[0]!]);
      expect(infer(raw, boolean)).toMatchObject({ isBoolean: true, labels: pair });
      expect(infer(raw)).not.toHaveProperty("isBoolean");
    }
    expect(infer(numbers([1, 0, 1, null], { type: "integer" }), boolean)).toMatchObject({
      type: "integer",
      isBoolean: true,
      labels: ["0", "1"],
    });
    expect(infer(numbers([1, 0, 1], { type: "boolean" }), boolean)).not.toHaveProperty("isBoolean");
    expect([
      failure(texts(["yes", "no", "maybe"]), boolean),
      failure(texts(["yes", "n"]), boolean),
      failure(texts(["yes", null]), boolean),
      failure(numbers(sequence(20, (i) => i)), boolean),
    ]).toMatchInlineSnapshot(`
      [
        "column "x" cannot be boolean: expected two values: yes and no, y and n, true and false, t and f, or 0 and 1, received "maybe", "no", "yes".
      State the kind categorical, or replace the other values. The command line reads values as missing with --na.",
        "column "x" cannot be boolean: expected two values: yes and no, y and n, true and false, t and f, or 0 and 1, received "n", "yes".
      State the kind categorical, or replace the other values. The command line reads values as missing with --na.",
        "column "x" cannot be boolean: expected two values: yes and no, y and n, true and false, t and f, or 0 and 1, received "yes".
      State the kind categorical, or replace the other values. The command line reads values as missing with --na.",
        "column "x" cannot be boolean: expected two values: yes and no, y and n, true and false, t and f, or 0 and 1, received "0", "1", "2", "3", "4", "5", "6", "7" and 12 more.
      State the kind categorical, or replace the other values. The command line reads values as missing with --na.",
      ]
    `);
  });

  it("that are equal to the inferred options reproduce the column", () => {
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
      expect(infer(raw, optionsOfColumn(column))).toEqual(column);
    }
  });
});
