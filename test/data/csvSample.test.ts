import { expect, test } from "vitest";
import { csvSample } from "../../src/tables/io/csvSample.ts";
import { openTable } from "../../src/tables/io/index.ts";
import { temporaryDirectory } from "./temporaryFiles.ts";

const files = temporaryDirectory();

async function sample(source: string, rows: number): Promise<string> {
  const table = await openTable(source);
  try {
    return new TextDecoder().decode(await csvSample(table, rows));
  } finally {
    await table.close();
  }
}

test("writes evenly spaced rows in the order of the table", async () => {
  expect(await sample("SELECT range AS n FROM range(10)", 4)).toBe("n\n0\n2\n5\n7\n");
  expect(await sample("SELECT range AS n FROM range(3)", 100)).toBe("n\n0\n1\n2\n");
  for (const [total, count] of [
    [12_001, 5000],
    [5001, 5000],
    [997, 3],
  ] as const) {
    const indices = Array.from({ length: count }, (_, i) => Math.floor((i * total) / count));
    const text = await sample(`SELECT range AS n FROM range(${total})`, count);
    expect(text).toBe(["n", ...indices, ""].join("\n"));
  }
});

test("writes dates, booleans, missing values and text that needs quotes", async () => {
  const query = `SELECT DATE '2024-02-29' AS "the day", true AS flag, NULL::DOUBLE AS x, 'a,"b"' AS "text"`;
  expect(await sample(query, 10)).toBe('the day,flag,x,text\n2024-02-29,true,,"a,""b"""\n');
});

test("writes the values of a text file as they are, except for dates, which begin with the year", async () => {
  const text = (day: string, time: string) =>
    `x,n,day,time,word,unclear\n1.50,1,${day},${time}, a,2/1/2020\n2.5,,,,,3/4/2021\n`;
  const path = files.write("t.csv", text("31/12/2020", "12-31-2020 10:30"));
  expect(await sample(path, 10)).toBe(text("2020-12-31", "2020-12-31 10:30"));
});
