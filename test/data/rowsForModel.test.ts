import { expect, it } from "vitest";
import { encodeTable } from "../../src/tables/columns/encodeTable.ts";
import type { TableColumn } from "../../src/tables/columns/tableColumn.ts";
import { openTable } from "../../src/tables/io/index.ts";
import { rowsForModel } from "../../src/tables/io/rowsForModel.ts";
import { scanFeatures } from "../../src/tables/io/scanFeatures.ts";
import { learnColumns } from "./learnColumns.ts";
import { temporaryDirectory } from "./temporaryFiles.ts";

const files = temporaryDirectory();

/** The rows of a table, whose features are equal to those of `scanFeatures`. */
async function rows(source: string, columns: readonly TableColumn[]) {
  const table = await openTable(source);
  try {
    const objects = await rowsForModel(table, columns);
    const names = columns.map(({ name }) => name);
    const { values, status } = encodeTable(columns, objects, names);
    for await (const block of (await scanFeatures(table, columns)).blocks())
      expect([block.rows.values, block.status]).toEqual([values, status]);
    return objects;
  } finally {
    await table.close();
  }
}

it("reads the rows of a table with the types of the columns of a model, and values that it did not learn", async () => {
  const columns = await learnColumns(
    `SELECT ['01', '22', '7a'][1 + i % 3] AS code, ['no', 'yes'][1 + i % 2] AS answer, i % 2 = 0 AS flag, DATE '2020-01-01' + i::INT AS day,
      TIME '00:00' + to_minutes(7 * i) AS time, i % 30 AS n, NULL::DATE AS gap FROM range(1, 100) AS t(i)`,
    { answer: { kind: "boolean" } },
  );
  const csv = files.write(
    "new.csv",
    [
      "code,answer,flag,day,time,n,gap,other",
      "01,true,1,31/12/2019,10:30:00+02:00,5,x,1",
      "99,false,0,,,1000,,2",
      "",
    ].join("\n"),
  );
  expect(await rows(csv, columns)).toEqual([
    { code: "01", answer: true, flag: true, day: "2019-12-31", time: "08:30:00", n: 5, gap: "x" },
    { code: "99", answer: false, flag: false, day: null, time: null, n: 1000, gap: null },
  ]);
  const query = "SELECT 7 AS code, 'yes' AS answer, true AS flag, TIMESTAMP '2020-01-02 03:00' AS day";
  expect(await rows(query, columns.slice(0, 4))).toEqual([
    { code: "7", answer: "yes", flag: true, day: "2020-01-02 03:00:00" },
  ]);
});
