import { expect, test } from "vitest";
import type { PushforwardError } from "../../src/index.ts";
import { csv } from "../../src/serve/http/csv.ts";

const columnsOf = (...names: string[]) =>
  names.map((name) => ({ name, type: "text" as const, kind: "", details: "" }));
const read = (text: string, names: readonly string[], maxRows = 10) =>
  csv.read(new TextEncoder().encode(text), columnsOf(...names), maxRows);

test("a table of one column has a row for each missing value", () => {
  const rows = [{ a: "x" }, { a: null }, { a: "y" }, { a: null }];
  const written = new TextDecoder().decode(csv.write(columnsOf("a"), rows));
  expect(written).toBe('a\nx\n""\ny\n""\n');
  for (const text of [written, "\na\nx\n\ny\n\n", "a\r\nx\r\n\r\ny\r\n\r\n", 'a\rx\r\ry\r""'])
    expect(read(text, ["a"])).toEqual(rows);
});

test("empty lines of a table with several columns are skipped", () => {
  expect(read("\r\na,b\r\n\r\nx,y\r\n\r\n", ["a", "b"])).toEqual([{ a: "x", b: "y" }]);
});

test("a header with a column twice, and a quote that is not closed, are refused", () => {
  const refused = (text: string) => {
    try {
      read(text, ["a", "b"]);
    } catch (error) {
      return (error as PushforwardError).message;
    }
    throw new Error("it was accepted");
  };
  expect([
    refused("a,b,a\n1,2,3\n"),
    refused('a,b\n1,"Bern\n2,Zug\n'),
    refused('a,b\n1,2\n"'),
  ]).toMatchInlineSnapshot(`
    [
      "two columns of the CSV have the name "a".
    Leave one of them out.",
      "the CSV ends within a field in quotes: expected a closing quote.
    Close the quote, and double each quote within a field.",
      "the CSV ends within a field in quotes: expected a closing quote.
    Close the quote, and double each quote within a field.",
    ]
  `);
  // Columns that the model does not have are left out.
  expect(read("other,a,other\n1,2,3\n", ["a"])).toEqual([{ a: "2" }]);
});

test("numbers and booleans may have blanks around them, which belong to the value of a text", () => {
  const columns = [
    { name: "isMember", type: "boolean" as const, kind: "", details: "" },
    { name: "age", type: "integer" as const, kind: "", details: "" },
    { name: "city", type: "text" as const, kind: "", details: "" },
  ];
  const body = "isMember,age,city\n true, 40 , Bern\nFALSE\t,  ,\n";
  expect(csv.read(new TextEncoder().encode(body), columns, 10)).toEqual([
    { isMember: true, age: 40, city: " Bern" },
    { isMember: false, age: null, city: null },
  ]);
});
