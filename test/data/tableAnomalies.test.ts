import { expect, it } from "vitest";
import { Flow } from "../../src/flows/index.ts";
import { Random } from "../../src/random/index.ts";
import { tableHeads } from "../../src/tables/columns/columnHeads.ts";
import { LatentClasses } from "../../src/tables/densities/latentClasses.ts";
import { openTable } from "../../src/tables/io/index.ts";
import { scanFeatures } from "../../src/tables/io/scanFeatures.ts";
import { explainTableRows, scoreAnomalies } from "../../src/tables/io/tableAnomalies.ts";
import { TableModel } from "../../src/tables/model/index.ts";
import { learnColumns } from "./learnColumns.ts";
import { temporaryDirectory } from "./temporaryFiles.ts";

const files = temporaryDirectory();

/** A table of one block, and a model of its rows. */
async function tableAndModel(path: string) {
  const columns = await learnColumns(path);
  const table = await openTable(path);
  const { value } = await (await scanFeatures(table, columns)).blocks().next();
  const heads = tableHeads(columns, value.rows);
  const flow = new Flow(new LatentClasses({ columns: heads, classes: 2 }, new Random(0)));
  return { table, model: new TableModel({ columns, flow }) };
}

it("shows booleans, dates and missing numbers of a table as they were learned, and no normal constant as a reason", async () => {
  const rows = Array.from(
    { length: 60 },
    (_, i) => `True,31/12/2024,9:30,${i % 2 ? "TRUE" : "FALSE"},${i % 7 || "nan"}`,
  );
  const path = files.write("notation.csv", `active,since,at,flag,x\n${rows.join("\n")}\n`);
  const { table, model } = await tableAndModel(path);
  expect(model.columns.slice(0, 3)).toMatchObject([
    { kind: "constant", value: "true" },
    { kind: "constant", value: "2024-12-31" },
    { kind: "constant", value: "09:30:00" },
  ]);
  const [reasons, ofMissing] = await explainTableRows(model, table, [1, 0]);
  expect(reasons!.map(({ column, value }) => [column, value])).toEqual(
    expect.arrayContaining([
      ["flag", true],
      ["x", 1],
    ]),
  );
  expect(ofMissing).toContainEqual(expect.objectContaining({ column: "x", value: null }));
  expect(reasons!.filter(({ gain }) => gain === Number.POSITIVE_INFINITY)).toEqual([]);
  await model.release();
  await table.close();
});

it("throws an error if the file has grown since it was opened", async () => {
  const rows = Array.from({ length: 40 }, (_, i) => `${i % 7},${i % 3}\n`);
  const path = files.write("grown.csv", `x,y\n${rows.join("")}`);
  const { table, model } = await tableAndModel(path);
  files.write("grown.csv", `x,y\n${rows.join("")}1,2\n`);
  expect(await files.failure(scoreAnomalies(model, table))).toMatch(
    "FILE grown.csv changed while it was read",
  );
  await model.release();
  await table.close();
});
