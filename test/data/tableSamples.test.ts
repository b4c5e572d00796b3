import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { decodeRows } from "../../src/tables/columns/encode.ts";
import { fitTable } from "../../src/tables/fit/fitTable.ts";
import { openTable } from "../../src/tables/io/index.ts";
import { sampleWhere } from "../../src/tables/io/sampleWhere.ts";
import { completeTable, sampleTable } from "../../src/tables/io/tableSamples.ts";
import type { TableModel } from "../../src/tables/model/index.ts";
import { temporaryDirectory } from "./temporaryFiles.ts";

const files = temporaryDirectory();
let model: TableModel;

beforeAll(async () => {
  const rows = Array.from({ length: 90 }, (_, i) => ({
    size: i % 5 === 0 ? null : Math.sin(i),
    kind: ["a", "b"][i % 2],
    unit: "cm",
  }));
  model = (await fitTable(rows, { epochs: 1 })).model;
});
afterAll(() => model.release());

/** The sizes and the codes of the kinds of the completed rows of a query. */
async function complete(query: string, options: { copies?: number; gaps?: boolean; impute?: boolean }) {
  const table = await openTable(query);
  try {
    const rows: number[] = [];
    for await (const block of completeTable(model, table, options)) rows.push(...block);
    const [sizes, kinds] = decodeRows(model.columns, rows) as [Float64Array, Float64Array];
    return { sizes, kinds };
  } finally {
    await table.close();
  }
}

describe("completed rows of a table", () => {
  it("keep their values, and have values in place of missing ones", async () => {
    const query = "SELECT unnest([0.5, NULL]) AS size, unnest([NULL, 'b']) AS kind, 7 AS other";
    const { sizes, kinds } = await complete(query, { impute: true });
    expect([sizes[0], kinds[1]]).toEqual([0.5, 1]);
    expect([0, 1]).toContain(kinds[0]);
    expect([...sizes].map(Number.isFinite)).toEqual([true, true]);
  });

  it("are drawn several times, also for columns that the table does not have", async () => {
    const { sizes, kinds } = await complete("SELECT 'b' AS kind", { copies: 200, gaps: true });
    expect(kinds).toEqual(new Float64Array(200).fill(1));
    expect(sizes.some(Number.isNaN)).toBe(true);
    expect(new Set(sizes).size).toBeGreaterThan(100);
  });

  it("have no missing values with gaps: false, and keep those that are not missing", async () => {
    const query = "SELECT 'b' AS kind";
    const withGaps = await complete(query, { copies: 200 });
    const { sizes } = await complete(query, { copies: 200, gaps: false });
    expect(sizes.every(Number.isFinite)).toBe(true);
    const present = (_: number, n: number) => Number.isFinite(withGaps.sizes[n]);
    expect(sizes.filter(present)).toEqual(withGaps.sizes.filter(present));
  });

  it("need a column of the model that varies", async () => {
    expect(await files.failure(complete("SELECT 'cm' AS unit", { impute: true }))).toMatchInlineSnapshot(`
      "DATA the query has no column that varies in the model: received "unit".
      Give a table with other columns of the model."
    `);
    expect(await files.failure(complete("SELECT 1 AS other", { impute: true }))).toMatchInlineSnapshot(
      `"DATA the query has no column of the model: expected some of "size", "kind", "unit", received "other"."`,
    );
  });
});

it("samples a table in blocks, with the same rows as at once", async () => {
  const drawn: number[] = [];
  for await (const block of sampleTable(model, 40_000, { seed: 3 })) drawn.push(...block);
  expect(drawn).toEqual([...(await model.sampleFeatures(40_000, { seed: 3 }))]);
});

describe("samples that meet a condition", () => {
  /** The rows of `sampleWhere`, and how many were drawn. */
  async function where(condition: string, rows: number) {
    const kept: number[] = [];
    let drawn = 0;
    const onProgress = (_: number, all: number) => {
      drawn = all;
    };
    for await (const block of sampleWhere(model, rows, condition, { seed: 3, onProgress }))
      kept.push(...block);
    return { kept, drawn };
  }

  it("are the draws that meet it, in their order, so that they follow the conditional distribution", async () => {
    const drawn = await model.sampleFeatures(4000, { seed: 3 });
    const [sizes, kinds] = decodeRows(model.columns, drawn) as [Float64Array, Float64Array];
    const expected = Array.from(sizes.keys()).filter((n) => sizes[n]! > 0.2 && kinds[n] === 1);
    const { kept, drawn: count } = await where(
      `size > 0.2 AND "kind" = 'b' AND unit = 'cm' -- a comment`,
      300,
    );
    expect(kept).toEqual(expected.slice(0, 300).flatMap((n) => [drawn[2 * n], drawn[2 * n + 1]]));
    expect(count).toBe(expected[299]! + 1);
  });

  it("may be missing values", async () => {
    const { kept } = await where("size IS NULL", 20);
    expect(kept.filter((_, i) => i % 2 === 0)).toEqual(new Array(20).fill(Number.NaN));
  });

  it("end with an error if too few draws meet the condition", async () => {
    expect(await files.failure(where("kind = 'c'", 5))).toMatchInlineSnapshot(`
      "DATA Too few rows of the model meet the condition kind = 'c': expected 5 rows, received 0 in 100000 draws.
      Use a weaker condition, ask for fewer rows, or give values of columns (--given), which rejects no draws."
    `);
  });

  it("need a condition over the columns", async () => {
    expect(await files.failure(where("sice > 1", 5))).toMatchInlineSnapshot(
      `
      "DATA DuckDB cannot read the condition (Referenced column "sice" not found in FROM clause): received sice > 1.
      Correct the condition. The columns are "size" (number), "kind" (text), "unit" (text)."
    `,
    );
    expect(await files.failure(where("size >", 5))).toMatchInlineSnapshot(`
      "DATA DuckDB cannot read the condition (syntax error at end of input): received size >.
      Correct the condition. The columns are "size" (number), "kind" (text), "unit" (text)."
    `);
  });

  it("need a single condition, with closed parentheses", async () => {
    expect(await files.failure(where("size > 1) OR (1 = 1", 5))).toMatchInlineSnapshot(`
      "DATA DuckDB cannot read the condition (syntax error at or near ")"): received size > 1) OR (1 = 1.
      Correct the condition. The columns are "size" (number), "kind" (text), "unit" (text)."
    `);
    expect(await files.failure(where("(size > 1", 5))).toMatchInlineSnapshot(`
      "DATA DuckDB cannot read the condition (syntax error at end of input): received (size > 1.
      Correct the condition. The columns are "size" (number), "kind" (text), "unit" (text)."
    `);
    expect(await files.failure(where("size > 1; DROP TABLE drawn", 5))).toMatchInlineSnapshot(`
      "DATA DuckDB cannot read the condition (Cannot prepare multiple statements at once): received size > 1; DROP TABLE drawn.
      Correct the condition. The columns are "size" (number), "kind" (text), "unit" (text)."
    `);
    expect(await files.failure(where("size > 1); DROP TABLE drawn; SELECT (1", 5))).toMatchInlineSnapshot(`
      "DATA DuckDB cannot read the condition (syntax error at or near ")"): received size > 1); DROP TABLE drawn; SELECT (1.
      Correct the condition. The columns are "size" (number), "kind" (text), "unit" (text)."
    `);
    expect(await files.failure(where("size > 1 UNION SELECT 1", 5))).toMatchInlineSnapshot(`
      "DATA DuckDB cannot read the condition (Failed to extract statements: Parser Error: syntax error at or near "UNION"): received size > 1 UNION SELECT 1.
      Correct the condition. The columns are "size" (number), "kind" (text), "unit" (text)."
    `);
    expect(await files.failure(where("size > 1, 1", 5))).toMatchInlineSnapshot(`
      "DATA DuckDB cannot read the condition (syntax error at or near ","): received size > 1, 1.
      Correct the condition. The columns are "size" (number), "kind" (text), "unit" (text)."
    `);
    expect(await files.failure(where("-- size > 1", 5))).toMatchInlineSnapshot(`
      "DATA DuckDB cannot read the condition (syntax error at end of input): received -- size > 1.
      Correct the condition. The columns are "size" (number), "kind" (text), "unit" (text)."
    `);
    expect((await where("size > 0 /* ) */ -- )", 5)).kept.length).toBe(10);
  });
});
