import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { openTable, readRows } from "../../src/tables/io/index.ts";
import { temporaryDirectory } from "./temporaryFiles.ts";

const files = temporaryDirectory();
const failure = (name: string, content: string | Uint8Array) =>
  files.failure(openTable(files.write(name, content)));

async function contents(text: string) {
  const table = await openTable(files.write("t.csv", text));
  try {
    const names = await table.numericColumns();
    return { names, values: [...(await readRows(table, names)).values] };
  } finally {
    await table.close();
  }
}

it("removes blanks around names in the first line, except in quotes", async () => {
  expect(await contents('" lead", b,"c ","d" \n1,2,3,4\n5,6,7,8\n')).toMatchObject({
    names: [" lead", "b", "c ", "d"],
  });
  expect(await contents('"  ",b\n1,2\n3,4\n')).toMatchObject({ names: ["column0", "b"] });
});

it("reads the delimiter in a first line that Excel writes", async () => {
  const expected = { names: ["a", "b"], values: [1, 2, 3, 4] };
  expect(await contents("sep=|\n\na|b\n1|2\n3|4\n")).toEqual(expected);
  expect(await contents("\uFEFFsep=;\r\na;b\r\n1;2\r\n3;4\r\n")).toEqual(expected);
  expect(await contents("sep=,b\n1,2\n3,4\n")).toMatchObject({ names: ["sep=", "b"] });
});

describe("a first line of numbers", () => {
  it("is the header if it counts the columns, as pandas writes it, and no value below is an integer", async () => {
    expect(await contents("0,1\n0.5,1.5\n2.5,3.0\n")).toEqual({
      names: ["0", "1"],
      values: [0.5, 1.5, 2.5, 3],
    });
    expect(await contents("1,2,3\n0.5,,1e-3\n,2.5,0.1\n")).toMatchObject({ names: ["1", "2", "3"] });
    expect(await contents(",0,1\n0,0.5,1.5\n1,2.5,3.5\n")).toMatchObject({ names: ["column0", "0", "1"] });
  });

  it("is a row if it does not count the columns", async () => {
    expect(await contents("1,3\n2.5,4.5\n")).toEqual({
      names: ["column0", "column1"],
      values: [1, 3, 2.5, 4.5],
    });
    expect(await contents("0.0,1.0\n2.5,4.5\n")).toMatchObject({ values: [0, 1, 2.5, 4.5] });
    expect(await contents("2,3\n2.5,4.5\n")).toMatchObject({ values: [2, 3, 2.5, 4.5] });
    expect(await contents("0,1\n")).toMatchObject({ values: [0, 1] });
    expect(await contents("1.5,nan,3.0\n2.5,0.5,1.0\n")).toMatchObject({
      names: ["column0", "column1", "column2"],
    });
    expect(await contents("inf,nan\n2.5,0.5\n")).toMatchObject({ names: ["inf", "nan"] });
  });

  it("is a row if its numbers have decimal commas, or some are words for missing values", async () => {
    for (const [text, options] of [
      ["1,5;2,5\n3,5;4,5\n", { decimal: "," }],
      ["1.5,NA\n2.5,3.5\n", { na: ["NA"] }],
    ] as const) {
      const table = await openTable(files.write("row.csv", text), options);
      expect(table.rows).toBe(2);
      expect(table.columns.map(({ name, type }) => `${name} ${type}`)).toEqual([
        "column0 DOUBLE",
        "column1 DOUBLE",
      ]);
      await table.close();
    }
  });

  it("is an error if it can be either, with a query for each case", async () => {
    expect(await failure("either.csv", "0,1\n1,0\n0.5,0\n")).toMatchInlineSnapshot(`
      "DATA It is unclear whether the first line of either.csv is a row or the header: received 0,1.
      Add a first line with the names of the columns, or use a query: "FROM read_csv('either.csv', header = true)" if the line is the header, "FROM read_csv('either.csv', header = false)" if it is a row."
    `);
    expect(await failure("one.csv", "1\n2.5\n3.5\n")).toContain(
      "It is unclear whether the first line of one.csv is a row",
    );
    const path = files.path("either.csv");
    for (const [query, rows] of [
      [`FROM read_csv('${path}', header = true)`, 2],
      [`FROM read_csv('${path}', header = false)`, 3],
    ] as const) {
      const table = await openTable(query);
      expect(table.rows).toBe(rows);
      await table.close();
    }
  });
});

describe("the delimiter", () => {
  it("is not a character that is only within quotes", async () => {
    expect(await contents('a,"b (x; y; z)"\n1,2\n3,4\n')).toEqual({
      names: ["a", "b (x; y; z)"],
      values: [1, 2, 3, 4],
    });
    expect(await contents('a,"b (x; y; z)"\n')).toMatchObject({ names: ["a", "b (x; y; z)"] });
  });

  it("splits all records into the same number of fields", async () => {
    expect(await contents("a (x|y|z);b\n1;2\n3;4\n")).toMatchObject({ names: ["a (x|y|z)", "b"] });
    expect(await contents('a;"b;c, d, e"\n1;2\n')).toMatchObject({ names: ["a", "b;c, d, e"] });
  });
});

it("throws an error for lines that are too long, with which DuckDB would drop all following lines", async () => {
  const long = `3,${"9".repeat(1_999_999)}\n`;
  expect(await failure("long.csv", `a,b\n1,2\n${long}`)).toMatchInlineSnapshot(`
    "DATA long.csv has a line that is too long, line 3: expected lines of at most 2000000 bytes.
    Shorten the line, or add the missing line breaks between rows."
  `);
  expect(await failure("middle.csv.gz", gzipSync(`a,b\n1,2\n4,5\n${long}1,2\n`, { level: 1 }))).toContain(
    "line 4",
  );
  expect(await failure("return.csv", `a,b\r1,2\r${long}`.replaceAll("\n", "\r"))).toContain("too long");
  const longest = `a,b\n1,2\n3,${"9".repeat(1_999_997)}\n`;
  const table = await openTable(files.write("longest.csv", longest));
  expect(table.rows).toBe(2);
  await table.close();
});

it("throws an error for another encoding, also in the header", async () => {
  expect(await failure("latin1.csv", Buffer.from("größe,b\n1,2\n", "latin1"))).toMatchInlineSnapshot(`
    "DATA latin1.csv is not UTF-8 text in line 1.
    Convert the file: iconv -f latin1 -t utf-8 old.csv > new.csv"
  `);
  expect(await failure("latin1.json", Buffer.from('[{"größe": 1}]', "latin1"))).toContain(
    "is not UTF-8 text in line 1",
  );
});

describe("many columns", () => {
  const wide = (columns: number, rows: number) => {
    const names = Array.from({ length: columns }, (_, d) => `x${d}`).join();
    return `${names}\n${`${names.replaceAll("x", "0.")}\n`.repeat(rows)}`;
  };

  it("are read in limited memory", async () => {
    const { names, values } = await contents(wide(3000, 40));
    expect(names).toHaveLength(3000);
    expect(values.slice(-2)).toEqual([0.2998, 0.2999]);
  });

  it("above 10,000 are an error without delay", async () => {
    expect(await failure("wide.csv", wide(10_001, 3))).toMatchInlineSnapshot(`
      "DATA wide.csv has too many columns: expected at most 10000, received 10001.
      Write a file with fewer columns, in a query or another program."
    `);
  });
});
