import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openTable } from "../../src/data/index.ts";
import { completeTable, sampleTable } from "../../src/data/tableSamples.ts";
import type { TableModel } from "../../src/flows/index.ts";
import { decodeRows } from "../../src/tables/encode.ts";
import { fitTable } from "../../src/train/fitTable.ts";
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
async function complete(query: string, options: { copies?: number; present: boolean }) {
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
    const { sizes, kinds } = await complete(query, { present: true });
    expect([sizes[0], kinds[1]]).toEqual([0.5, 1]);
    expect([0, 1]).toContain(kinds[0]);
    expect([...sizes].map(Number.isFinite)).toEqual([true, true]);
  });

  it("are drawn several times, also for columns that the table does not have", async () => {
    const { sizes, kinds } = await complete("SELECT 'b' AS kind", { copies: 200, present: false });
    expect(kinds).toEqual(new Float64Array(200).fill(1));
    expect(sizes.some(Number.isNaN)).toBe(true);
    expect(new Set(sizes).size).toBeGreaterThan(100);
  });

  it("need a column of the model that varies", async () => {
    expect(await files.failure(complete("SELECT 'cm' AS unit", { present: true }))).toMatchInlineSnapshot(`
      "DATA the query has no column that varies in the model: received "unit".
      Give a table with other columns of the model."
    `);
    expect(await files.failure(complete("SELECT 1 AS other", { present: true }))).toMatchInlineSnapshot(
      `"DATA the query has no column of the model: expected some of "size", "kind", "unit", received "other"."`,
    );
  });
});

it("samples a table in blocks, with the same rows as at once", async () => {
  const drawn: number[] = [];
  for await (const block of sampleTable(model, 40_000, { seed: 3 })) drawn.push(...block);
  expect(drawn).toEqual([...(await model.sampleFeatures(40_000, { seed: 3 }))]);
});
