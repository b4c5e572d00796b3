import { describe, expect, it } from "vitest";
import { inferRawColumn } from "../../src/tables/columns/largeIntegers.ts";
import { rawColumns } from "../../src/tables/columns/tableRows.ts";
import { readObjects, readTrainingTable } from "../../src/tables/io/index.ts";
import { temporaryDirectory } from "./temporaryFiles.ts";

const files = temporaryDirectory();

describe("readObjects", () => {
  it("reads numbers, codes, booleans, dates and missing values of a text file", async () => {
    const path = files.write(
      "people.csv",
      [
        "zip,height,born,seen,at,member,note,id",
        "01234,1.75,31/12/1999,2024-05-01T10:00:00+02:00,07:30,true,NA,9007199254740993",
        '09999,,01/02/2001,2024-05-01T11:00:00.250Z,23:59:59,false,"a, ""b""",12',
        ",NA,,,,,  ,",
      ].join("\n"),
    );
    expect(await readObjects(path, { na: ["NA"] })).toEqual([
      {
        zip: "01234",
        height: 1.75,
        born: "1999-12-31",
        seen: "2024-05-01 08:00:00Z",
        at: "07:30:00",
        member: true,
        note: null,
        id: 9007199254740993n,
      },
      {
        zip: "09999",
        height: null,
        born: "2001-02-01",
        seen: "2024-05-01 11:00:00.250Z",
        at: "23:59:59",
        member: false,
        note: 'a, "b"',
        id: 12,
      },
      { zip: null, height: null, born: null, seen: null, at: null, member: null, note: null, id: null },
    ]);
  });

  it("reads chosen columns of a query in the order of the rows", async () => {
    const rows = await readObjects(
      "SELECT i, i / 4 AS x, 'nan'::DOUBLE AS y, [i] AS list FROM range(3) t(i)",
      {
        columns: ["x", "i", "y"],
        exclude: ["y"],
      },
    );
    expect(rows).toEqual([
      { x: 0, i: 0 },
      { x: 0.25, i: 1 },
      { x: 0.5, i: 2 },
    ]);
    expect(Object.keys(rows[0]!)).toEqual(["x", "i"]);
  });

  it.each(["penguins.csv", "earthquakes.csv"])(
    "gives fitTable the columns that the command line infers from %s",
    async (name) => {
      const path = `examples/data/${name}`;
      const read = await readTrainingTable(path, { kinds: {} });
      const columns = rawColumns(await readObjects(path)).map((raw) => inferRawColumn(raw).inferred);
      expect(columns.map((inferred) => "column" in inferred && inferred.column)).toEqual(read.table);
    },
  );

  it("refuses infinite numbers, and columns that objects cannot have", async () => {
    const infinite = files.write("infinite.csv", "a,b\n1,2\n3,inf\n");
    expect(await files.failure(readObjects(infinite))).toMatchInlineSnapshot(`
      "DATA The column "b" of infinite.csv is infinite in row 2: expected finite numbers, received Infinity.
      Correct the value, or replace it by an empty field, which counts as missing."
    `);
    const failure = await files.failure(readObjects("SELECT 1 AS a, [1, 2] AS tags"));
    expect(failure).toMatchInlineSnapshot(`
      "DATA The column "tags" of the query has no values that an object can have: expected numbers, text, booleans, dates or times, received INTEGER[].
      Leave the column out: { exclude: ["tags"] }."
    `);
    expect(await files.failure(readObjects("SELECT 1 AS a", { columns: ["b"] }))).toMatchInlineSnapshot(`
      "DATA the query has no column "b": expected one of "a".
      Correct the name."
    `);
  });
});
