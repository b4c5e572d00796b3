import { expect, it, vi } from "vitest";
import { Database } from "../../src/tables/io/database.ts";
import { openTable, readRows } from "../../src/tables/io/index.ts";
import { scanRows } from "../../src/tables/io/tableRows.ts";
import { temporaryDirectory } from "./temporaryFiles.ts";

const files = temporaryDirectory();

it("throws an error if a file changes while it is opened", async () => {
  const path = files.write("opened.csv", "a,b\n1,2\n");
  const run = Database.prototype.run;
  const spy = vi.spyOn(Database.prototype, "run").mockImplementationOnce(function (this: Database, sql) {
    files.write("opened.csv", "a,b\nx,2\n");
    return run.call(this, sql);
  });
  expect(await files.failure(openTable(path))).toMatchInlineSnapshot(`
    "FILE opened.csv changed while it was read: expected a file that does not change.
    Run the command again when no other program writes to the file, or use a copy."
  `);
  spy.mockRestore();
});

it("throws an error if a file changes after its types were detected", async () => {
  const path = files.write("read.csv", "a\n1\n2\n");
  const table = await openTable(path);
  expect((await readRows(table, ["a"])).rows).toBe(2);
  files.write("read.csv", "a\n1\n2\n3\n");
  expect(await files.failure(readRows(table, ["a"]))).toMatch("FILE read.csv changed while it was read");
  files.write("read.csv", "a\n1\nx\n");
  // What DuckDB says of the new content would lead astray.
  expect(await files.failure(readRows(table, ["a"]))).toMatch("FILE read.csv changed while it was read");
  await table.close();
});

it("throws an error if a file changes during a scan", async () => {
  const path = files.write("scanned.csv", "a\n1\n2\n3\n");
  const table = await openTable(path);
  const scan = async () => {
    for await (const { complete } of scanRows(table, ["a"], { blockRows: 1 })) {
      if (complete.values[0] === 1) files.write("scanned.csv", "a\n3\n2\n1\n");
    }
  };
  expect(await files.failure(scan)).toMatch("FILE scanned.csv changed while it was read");
  await table.close();
});

it("allows changes of the files of a query, whose result is stored", async () => {
  const path = files.write("queried.csv", "a\n1\n2\n");
  const table = await openTable(`FROM '${path}'`);
  files.write("queried.csv", "a\n3\n");
  expect((await readRows(table, ["a"])).values).toEqual(Float64Array.of(1, 2));
  await table.close();
});
