import { expect, it } from "vitest";
import { openTable } from "../../src/data/index.ts";
import { readColumns } from "../../src/data/readColumns.ts";
import { explainTableRows, scoreAnomalies } from "../../src/data/tableAnomalies.ts";
import { InMemoryDataset } from "../../src/dataset/index.ts";
import { LatentClasses } from "../../src/distributions/latentClasses.ts";
import { Flow, TableModel } from "../../src/flows/index.ts";
import { Random } from "../../src/random/index.ts";
import { tableHeads } from "../../src/tables/columnHeads.ts";
import { encodeRows } from "../../src/tables/encode.ts";
import { infer } from "../tables/infer.ts";
import { temporaryDirectory } from "./temporaryFiles.ts";

const files = temporaryDirectory();

it("shows booleans, dates and missing numbers of a table as they were learned, and no normal constant as a reason", async () => {
  const rows = Array.from(
    { length: 60 },
    (_, i) => `True,31/12/2024,9:30,${i % 2 ? "TRUE" : "FALSE"},${i % 7 || "nan"}`,
  );
  const path = files.write("notation.csv", `active,since,at,flag,x\n${rows.join("\n")}\n`);
  const table = await openTable(path);
  const { columns: raw } = await readColumns(
    table,
    table.columns.map(({ name }) => name),
  );
  const columns = raw.map((column) => infer(column));
  expect(columns.slice(0, 3)).toMatchObject([
    { kind: "constant", value: "true" },
    { kind: "constant", value: "2024-12-31" },
    { kind: "constant", value: "09:30:00" },
  ]);
  const values = encodeRows(
    columns,
    raw.map(({ values }) => values),
  );
  const data = new InMemoryDataset({ features: 2, values });
  const flow = new Flow(new LatentClasses({ columns: tableHeads(columns, data), classes: 2 }, new Random(0)));
  const model = new TableModel({ columns, flow });
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
  const table = await openTable(path);
  const { columns: raw } = await readColumns(table, ["x", "y"]);
  const columns = raw.map((column) => infer(column));
  const values = encodeRows(
    columns,
    raw.map(({ values }) => values),
  );
  const data = new InMemoryDataset({ features: 2, values });
  const flow = new Flow(new LatentClasses({ columns: tableHeads(columns, data), classes: 2 }, new Random(0)));
  const model = new TableModel({ columns, flow });
  files.write("grown.csv", `x,y\n${rows.join("")}1,2\n`);
  expect(await files.failure(scoreAnomalies(model, table))).toMatch(
    "FILE grown.csv changed while it was read",
  );
  await model.release();
  await table.close();
});
