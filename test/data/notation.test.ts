import { expect, it } from "vitest";
import { openTable, readRows, type TableOptions } from "../../src/tables/io/index.ts";
import { readColumns } from "../../src/tables/io/readColumns.ts";
import { temporaryDirectory } from "./temporaryFiles.ts";

const { write, failure } = temporaryDirectory();

/** The types of the columns of a text, and the values of those that are numbers. */
async function read(text: string, options: TableOptions) {
  const table = await openTable(write("table.csv", text), options);
  try {
    const numeric = table.columns.filter(({ type }) => /BIGINT|DOUBLE/.test(type)).map(({ name }) => name);
    const { values } = await readRows(table, numeric);
    return { types: table.columns.map(({ type }) => type).join(" "), values: [...values] };
  } finally {
    await table.close();
  }
}

it("reads decimal commas, with points between thousands, and leaves dates and text as they are", async () => {
  const rows = ["price;day;note;count", "1,5;31.12.2020;a,b;7", '"1.234.567,25";01.02.2021;1.2.3;1.000'];
  const { types, values } = await read([...rows, "-,5e1;03.02.2021;x;12", ""].join("\n"), { decimal: "," });
  expect(types).toBe("DOUBLE DATE VARCHAR BIGINT");
  expect(values).toEqual([1.5, 7, 1234567.25, 1000, -5, 12]);
});

it("leaves a comma without digits as it is", async () => {
  const table = await openTable(write("marks.csv", "mark;n\n,;1,5\n.;2\n,;1\n"), { decimal: "," });
  const { columns } = await readColumns(table, ["mark"]);
  expect(columns[0]!.labels).toEqual([",", "."]);
  await table.close();
});

it("does not take a comma for the delimiter where it separates decimals", async () => {
  expect(await read("a;b\n1,5;2,5\n3,5;4,5\n", { decimal: "," })).toMatchObject({
    values: [1.5, 2.5, 3.5, 4.5],
  });
  expect(await read("a|b\n1,5|2\n", { decimal: "," })).toMatchObject({ values: [1.5, 2] });
  expect(await read('a,b\n"1,5",2\n', { decimal: "," })).toMatchObject({ values: [1.5, 2] });
});

it("reads values that mean missing in the same notation", async () => {
  const { values } = await read("a;b\n-999,0;1\n2,5;1\n", { decimal: ",", na: ["-999"] });
  expect(values).toEqual([2.5, 1]);
});

it("reads fields that a stated character separates", async () => {
  expect(await read("a:b\n1:2\n3:4\n", { delimiter: ":" })).toEqual({
    types: "BIGINT BIGINT",
    values: [1, 2, 3, 4],
  });
  expect(await failure(openTable(write("t.csv", "a\n1\n"), { delimiter: "::" }))).toMatchInlineSnapshot(
    `"ARGUMENT the delimiter of a CSV file is not valid: expected one character other than a double quote or a line break, such as ;, received "::"."`,
  );
});

it("refuses these options for tables with typed numbers", async () => {
  expect(await failure(openTable("SELECT 1 AS a", { decimal: "," }))).toMatchInlineSnapshot(`
    "ARGUMENT --decimal is an option for CSV files: received the query.
    Leave it out. In a query, use the options of read_csv: delim and decimal_separator."
  `);
  const json = write("t.json", '[{"a": 1}]');
  expect(await failure(openTable(json, { delimiter: ";" }))).toMatchInlineSnapshot(`
    "ARGUMENT --delimiter is an option for CSV files: received t.json.
    Leave it out. In a query, use the options of read_csv: delim and decimal_separator."
  `);
});
