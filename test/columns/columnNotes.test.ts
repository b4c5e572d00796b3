import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Random } from "../../src/random/index.ts";
import { columnNotes } from "../../src/tables/notes/index.ts";

type Column = ArrayLike<number>;

function table(columns: Readonly<Record<string, Column>>) {
  const names = Object.keys(columns);
  const rows = columns[names[0]]?.length ?? 0;
  const values = new Float64Array(rows * names.length);
  names.forEach((name, d) => {
    for (let row = 0; row < rows; row++) values[row * names.length + d] = columns[name][row];
  });
  return { columns: names, rows, values };
}

const notesOf = (columns: Readonly<Record<string, Column>>, given?: Readonly<Record<string, Column>>) =>
  columnNotes(table(columns), given && { given: table(given) });
const kinds = (columns: Readonly<Record<string, Column>>) => notesOf(columns).map(({ kind }) => kind);
const messages = (columns: Readonly<Record<string, Column>>) =>
  notesOf(columns).map(({ message }) => message);
const findings = (columns: Readonly<Record<string, Column>>) =>
  notesOf(columns).flatMap(({ kind, findings }) => findings.map((finding) => ({ kind, ...finding })));

const random = new Random(7);
const normal = (name: string, rows = 500) => random.split(name).normal(new Float64Array(rows));
const uniform = (name: string, rows = 500) => random.split(name).uniform(new Float64Array(rows));
const rounded = (values: Float64Array, unit: number) =>
  values.map((value) => Math.round(value / unit) / (1 / unit));
const a = normal("a");
const b = normal("b");

it("has no note on continuous columns, with many digits or few, and on constant columns", () => {
  const correlated = a.map((value, i) => value + 0.05 * b[i]);
  expect(
    notesOf({
      a,
      correlated,
      rounded: rounded(normal("other"), 0.0001),
      single: Float32Array.from(normal("single")),
    }),
  ).toEqual([]);
  expect(notesOf({ a, constant: new Float64Array(500).fill(3), other: new Float64Array(500) })).toEqual([]);
  expect(notesOf({ a: [], b: [] })).toEqual([]);
  expect(notesOf({ a: [1], b: [2] })).toEqual([]);
});

it("throws for values that are not those of the rows and columns", () => {
  const one = table({ a });
  expect(() => columnNotes({ ...one, values: a.subarray(0, 3) })).toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: the first argument of columnNotes does not have exactly one value for each row and column: expected 500 rows of 1 values, received 500 rows, and 3 values.]`,
  );
  expect(() =>
    columnNotes(one, { given: table({ b: b.subarray(0, 10) }) }),
  ).toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: the option given of columnNotes does not have exactly one value for each row and column: expected 500 rows of 1 values, received 10 rows, and 10 values.]`,
  );
  expect(() => columnNotes(one, { given: { ...table({ a, b }), columns: ["b"] } })).toThrow(
    "received 500 rows, and 1000 values",
  );
});

describe("values that repeat", () => {
  it("are reported as few values, as a grid, or as atoms beside a density", () => {
    const rain = uniform("rain").map((value, i) => (i % 100 < 49 ? 0 : Number((80 * value).toFixed(5))));
    expect(
      messages({ class: a.map((value) => +(value > 0)), age: rounded(a, 0.1), rain, b }),
    ).toMatchInlineSnapshot(`
      [
        "A column has few different values: class (2). The density has no upper bound there: log-densities measure how narrow the peaks of the model are, not how good it is.",
        "Values repeat on a grid: age (56 values, step 0.1). The density has no upper bound there: log-densities measure how narrow the peaks of the model are, not how good it is.",
        "Many rows have the same value: rain (49% of the rows are 0). The density has no upper bound there: log-densities measure how narrow the peaks of the model are, not how good it is.",
      ]
    `);
  });

  it.each([0.005, 0.1, 0.25, 1 / 3, 7, 1e-9, 1e12])(
    "are found to have a step of %d, even if a few values are not on the grid",
    (step) => {
      const values = Float64Array.from(normal("grid", 2000), (value, i) => {
        return step * (Math.round(10 * value) + (i % 50 === 0 ? 0.5 : 0)) + 12 * step;
      });
      expect(findings({ values })).toEqual([
        {
          kind: "grid",
          column: "values",
          distinct: expect.any(Number),
          step: expect.closeTo(step, 5 - Math.log10(step)),
        },
      ]);
    },
  );

  it("are not reported as a grid if a spike would remain after noise is added", () => {
    const counts = Float64Array.from(uniform("counts", 5000), (value, i) =>
      i % 5 < 2 ? 0 : Math.floor(2000 * value),
    );
    expect(findings({ counts })).toMatchObject([{ kind: "atoms", atoms: [0] }]);
    const coarse = counts.map((value) => Math.floor(value / 20));
    expect(findings({ coarse })).toMatchObject([{ kind: "grid", step: 1 }]);
  });

  it("are reported as few values if they are on no grid", () => {
    const prices = Float64Array.from(uniform("price"), (value) => Math.exp(Math.floor(20 * value) / 3));
    expect(findings({ prices })).toMatchObject([{ kind: "fewValues", distinct: 20, step: undefined }]);
  });

  it("are reported as atoms if they are several values at both ends", () => {
    const capped = normal("capped").map((value) => Math.min(1, Math.max(-1, value)));
    expect(findings({ capped })).toMatchObject([{ kind: "atoms", atoms: [-1, 1] }]);
  });
});

describe("codes for missing values", () => {
  const some = (values: Column, code: number, every = 20) =>
    Float64Array.from(values, (value, i) => (i % every === 0 ? code : value));
  const ages = Float64Array.from(uniform("age"), (value) => Math.round(90 * value));

  it.each([
    ["-999 beside continuous values", some(a, -999), [-999]],
    [
      "-9 beside grades",
      some(
        Float64Array.from(ages, (v) => v % 5),
        -9,
      ),
      [-9],
    ],
    ["-1 beside counts", some(ages, -1), [-1]],
    ["999.9 beside continuous values", some(a, 999.9), [999.9]],
    ["both ends", some(some(a, -9999), 99999, 30), [-9999, 99999]],
    ["two at one end", some(some(a, -9999), -999, 30), [-9999, -999]],
    ["the largest integer", some(ages, 2 ** 31 - 1), [2 ** 31 - 1]],
    ["any number far away in many rows", some(a, -5000), [-5000]],
  ])("are found: %s", (_, values, codes) => {
    expect(findings({ values }).filter(({ kind }) => kind === "missingCodes")).toMatchObject([
      { codes: codes.map((value) => ({ value })) },
    ]);
    expect(findings({ values }).map(({ kind }) => kind)).not.toContain("farValues");
  });

  it.each([
    ["-1, 0 and 1", ages.map((value) => (value % 3) - 1)],
    ["integers around 0", ages.map((value) => value - 45)],
    ["ages up to 99", some(ages, 99)],
    ["zeros", some(uniform("positive"), 0)],
    ["a single far value", some(a, -999, 1000)],
  ])("are not: %s", (_, values) => {
    expect(kinds({ values })).not.toContain("missingCodes");
  });

  it("do not hide how the other values repeat", () => {
    const rain = uniform("rain").map((value, i) => (i % 2 === 0 ? 0 : value));
    expect(findings({ rain: some(rain, -999) })).toMatchObject([
      { kind: "missingCodes", codes: [{ value: -999, rows: 25 }] },
      { kind: "atoms", atoms: [0] },
    ]);
  });

  it("are also found in given columns", () => {
    expect(notesOf({ a }, { g: some(b, -999) })).toMatchObject([
      { kind: "missingCodes", findings: [{ column: "g", codes: [{ value: -999, rows: 25 }] }] },
    ]);
  });
});

describe("values far from all others", () => {
  const withFar = (values: Column, ...far: number[]) => Float64Array.from([...Array.from(values), ...far]);
  it.each([
    ["continuous values", a],
    ["half of which are equal", a.map((value, i) => (i % 2 === 0 ? 0 : value))],
    ["nearly all of which are equal", a.map((value, i) => (i % 50 === 0 ? value : 3))],
    ["huge ones", a.map((value) => 1e290 * value)],
  ])("are seen among %s", (_, values) => {
    const size = 1e12 * Math.max(...values.map(Math.abs));
    expect(findings({ values: withFar(values, size, -2 * size, 3 * size) })).toContainEqual({
      kind: "farValues",
      column: "values",
      value: 3 * size,
      rows: 3,
      below: -2 * size,
      above: size,
    });
    expect(kinds({ values })).not.toContain("farValues");
  });

  it("are not reported for heavy tails and for integers", () => {
    const cauchy = uniform("cauchy").map((value) => Math.tan(Math.PI * (value - 0.5)));
    expect(kinds({ cauchy })).toEqual([]);
    expect(kinds({ counts: uniform("rare", 5000).map((value) => +(value > 0.99)) })).toEqual(["fewValues"]);
  });
});

describe("columns that follow from others", () => {
  const c = normal("c");
  const sum = a.map((value, i) => value + b[i]);

  it.each<[string, Record<string, Column>, string]>([
    ["a copy", { a, b: a }, "b = a"],
    ["an affine copy", { c, b, f: c.map((v) => 1.8 * v + 32) }, "f = 1.8 c + 32"],
    ["a sum", { a, b, c, s: sum }, "s = a + b"],
    ["a sum that comes first", { s: sum, a, c, b }, "b = s - a"],
    ["a copy of a sum", { a, b, s: sum, t: sum.map((v) => -v) }, "s = a + b, t = -s"],
    ["a sum of rounded numbers, rounded", { a, b, s: rounded(sum, 0.001) }, "s = a + b up to rounding"],
    [
      "a sum of numbers that were rounded afterwards",
      { a: rounded(a, 0.001), b: rounded(b, 0.001), s: rounded(sum, 0.001) },
      "s = a + b up to rounding",
    ],
    ["a copy in single precision", { a, b: Float32Array.from(a) }, "b = a up to rounding"],
    [
      "nearly a sum",
      { a, b, s: sum.map((v, i) => v + 1e-5 * c[i]) },
      "s = a + b up to 0.000007 of its standard deviation",
    ],
    ["numbers far from 0", { a: a.map((v) => v + 1e6), b, s: sum.map((v) => v + 1e6) }, "s = a + b"],
    [
      "very different scales",
      { a, b: b.map((v) => 1e6 * v), s: a.map((v, i) => v + 1e6 * b[i]) },
      "s = a + b",
    ],
    [
      "a sum beside two columns that are nearly equal",
      { c, d: c.map((v, i) => v + 2e-3 * normal("d")[i]), a, b, s: Float32Array.from(sum) },
      "s = a + b up to rounding",
    ],
  ])("are named: %s", (_, columns, text) => {
    expect(messages(columns)).toContainEqual(
      expect.stringMatching(
        new RegExp(`follows? from others: ${text.replace(/[+.]/g, "\\$&")}\\. The density`),
      ),
    );
  });

  it("are found in tables with missing values, as codes are", () => {
    const missing = (values: Float64Array, isMissing: (row: number) => boolean) =>
      values.map((value, row) => (isMissing(row) ? Number.NaN : value));
    const columns = {
      a: a.map((value, row) => (row % 10 === 3 ? -999 : value)),
      b,
      s: missing(sum, (row) => row % 5 === 0),
      c,
      even: missing(normal("even"), (row) => row % 2 === 1),
      odd: missing(normal("odd"), (row) => row % 2 === 0),
      t: c.map((value) => 2 * value),
    };
    const texts = messages(columns);
    expect(texts).toContainEqual(expect.stringContaining("a (-999 in 50 rows)"));
    expect(texts).toContainEqual(expect.stringMatching(/others: s = a \+ b, t = 2 c\. The density/));
  });

  it("are found among categories too", () => {
    const group = Array.from(uniform("group"), (value) => Math.floor(3 * value));
    const oneHot = Object.fromEntries([0, 1, 2].map((k) => [`is${k}`, group.map((g) => +(g === k))]));
    expect(findings({ ...oneHot, a }).filter(({ kind }) => kind === "dependence")).toMatchObject([
      {
        column: "is2",
        terms: [
          { column: "is0", coefficient: -1 },
          { column: "is1", coefficient: -1 },
        ],
        intercept: expect.closeTo(1, 12),
      },
    ]);
  });

  it("do not follow up to rounding from the steps of a coarser column", () => {
    const school = Array.from(uniform("school"), (value) => Math.floor(100 * value));
    const pupil = school.map((number, i) => 10_000 * number + Math.floor(40 * uniform("pupil")[i]));
    for (const finding of findings({ school, pupil }))
      expect(finding).not.toMatchObject({ precision: "rounded" });
  });

  it("are not reported if they are only correlated, or if there are as many columns as rows", () => {
    expect(kinds({ a, near: a.map((v, i) => v + 0.005 * b[i]) })).toEqual([]);
    const many = Object.fromEntries(Array.from({ length: 60 }, (_, d) => [`c${d}`, normal(`c${d}`, 40)]));
    expect(kinds(many)).toEqual([]);
    expect(kinds({ a: [1, 2, 3], b: [2, 4, 7] })).toEqual([]);
  });

  it("are not reported if they only have codes or far values in the same rows", () => {
    const coded = (values: Float64Array, code: number) => values.map((v, i) => (i % 50 === 0 ? code : v));
    expect(kinds({ a: coded(a, -999999), b: coded(b, -999999) })).toEqual(["missingCodes"]);
    const far = (values: Float64Array) => values.map((v, i) => (i === 3 ? 1e30 : v));
    expect(kinds({ a: far(a), b: far(b) })).toEqual(["farValues"]);
  });

  it("are found if they follow from given columns; dependences among given columns are not reported", () => {
    expect(notesOf({ s: sum }, { a, b, copy: a })).toMatchObject([
      { kind: "dependence", findings: [{ column: "s", terms: [{ column: "a" }, { column: "b" }] }] },
    ]);
    expect(notesOf({ c }, { a, b, s: sum })).toEqual([]);
  });

  it("are found in many rows, of which only a sample is tested first", () => {
    const x = normal("x", 30_000);
    const y = normal("y", 30_000);
    const s = x.map((value, i) => value - y[i]);
    expect(findings({ x, y, s })).toMatchObject([{ column: "s", precision: "exact" }]);
    const broken = s.map((value, i) => (i === 12_345 ? value + 0.5 : value));
    expect(findings({ x, y, broken })).not.toContainEqual(expect.objectContaining({ precision: "exact" }));
    const other = s.map((value, i) => (i % 100 === 7 ? value + 3 : value));
    expect(findings({ x, y, other })).toEqual([]);
  });

  it("are found for any coefficients", () => {
    const coefficient = fc.double({ min: 0.01, max: 100, noNaN: true });
    fc.assert(
      fc.property(coefficient, coefficient, coefficient, (p, q, r) => {
        const s = a.map((value, i) => p * value - q * b[i] + r);
        const [found] = findings({ a, b, c, s });
        expect(found).toMatchObject({ kind: "dependence", column: "s", precision: "exact" });
        const { terms, intercept } = found as never as {
          terms: { coefficient: number }[];
          intercept: number;
        };
        expect(terms.map((term) => term.coefficient)).toEqual([
          expect.closeTo(p, 9 - Math.ceil(Math.log10(p + q))),
          expect.closeTo(-q, 9 - Math.ceil(Math.log10(p + q))),
        ]);
        expect(intercept).toBeCloseTo(r, 7);
      }),
      { numRuns: 30 },
    );
  });
});

it("reports columns whose difference has repeated values", () => {
  const corrected = a.map((value, i) => value + [0, 0.25, 1.1][i % 3]);
  expect(messages({ a, corrected, b })).toMatchInlineSnapshot(`
    [
      "Differences of two columns repeat: corrected - a (3 different values). The density has no upper bound there: log-densities measure how narrow the peaks of the model are, not how good it is.",
    ]
  `);
  const partly = a.map((value, i) => (i % 5 === 0 ? value : b[i]));
  expect(messages({ a, partly })).toMatchInlineSnapshot(`
    [
      "Differences of two columns repeat: partly - a (one value in 20% of the rows). The density has no upper bound there: log-densities measure how narrow the peaks of the model are, not how good it is.",
    ]
  `);
  expect(notesOf({ corrected }, { a })).toMatchObject([{ kind: "repeatedDifference" }]);
  expect(kinds({ a: rounded(a, 0.01), b: rounded(b, 0.01) })).not.toContain("repeatedDifference");
  // Rounding of the largest values is larger than most values of b, but not in their own rows.
  const magnitudes = {
    a: uniform("small").map((u) => 10 ** (-20 * u)),
    b: uniform("large").map((u) => 10 ** (18 * u)),
  };
  expect(kinds(magnitudes)).not.toContain("repeatedDifference");
});

it("writes short notes about many columns", () => {
  const wide = Object.fromEntries(
    Array.from({ length: 120 }, (_, d) => [
      `column${d}`,
      d < 60 ? normal(`w${d}`, 300).map((v) => Math.round(5 * v)) : normal(`w${60 + (d % 30)}`, 300),
    ]),
  );
  const notes = notesOf(wide);
  expect(notes.map(({ kind }) => kind)).toEqual(["grid", "dependence"]);
  for (const { message } of notes) {
    expect(message).toMatch(/ and \d+ more\. /);
    expect(message.length).toBeLessThan(400);
  }
});

it("reports equal rows from 1% of the rows on, but not in a table of categories", () => {
  const repeated = (values: Column, times: number) =>
    Array.from({ length: values.length * times }, (_, i) => values[i % values.length]);
  expect(messages({ a: repeated(a, 2), b: repeated(b, 2) })).toEqual([
    "Some rows are equal to others: 500 of 1,000 (50%). Equal rows stay on one side of every split, so held-out rows are new to the model, but it learns that these rows are more likely than others.",
  ]);
  const few = (copies: number) => {
    const withCopies = (values: Float64Array) => Array.from(values, (v, i) => (i < copies ? values[499] : v));
    return kinds({ a: withCopies(a), b: withCopies(b) });
  };
  expect([few(4), few(5)]).toEqual([[], ["equalRows"]]);
  const digit = (values: Float64Array) => values.map((value) => Math.floor(2 * value));
  expect(kinds({ a: digit(uniform("u")), b: digit(uniform("v")) })).not.toContain("equalRows");
});
