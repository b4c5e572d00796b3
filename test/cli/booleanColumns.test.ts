import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { trend } from "../../src/tables/evaluate/index.ts";
import { openTable } from "../../src/tables/io/index.ts";
import { decodeModel, TableModel } from "../../src/tables/model/index.ts";
import { rowsOf, workplace } from "./command.ts";

const { path, write, pushforward } = workplace();

const rows = Array.from({ length: 120 }, (_, i) => ({
  paid: i % 3 > 0 ? "Yes" : "No",
  bit: i % 4 > 0 ? 1 : 0,
  x: i % 7,
}));
const model = path("model.safetensors");
let table: string;

beforeAll(async () => {
  const lines = rows.map(({ paid, bit, x }) => `${paid},${bit},${x}`);
  table = write("rows.csv", ["paid,bit,x", ...lines, ""].join("\n"));
  const columns = ["--column", "paid=boolean", "--column", "bit=boolean"];
  const small = ["--epochs", "1", "--budget", "small", "--test-fraction", "0"];
  const { code, err } = await pushforward(["fit", table, ...columns, ...small, "-o", model]);
  expect({ code, err }).toMatchObject({ code: 0 });
});

describe("columns that are stated as boolean", () => {
  it("have the same scores where DuckDB or a CSV file has true and false", async () => {
    const scores = async (source: string) => {
      const { code, out, err } = await pushforward(["score", model, source, "-o", "-"]);
      expect({ code, err: err.match(/Error|Warning|impossible/) }).toEqual({ code: 0, err: null });
      return rowsOf(out).map((row) => row.at(-1));
    };
    const expected = await scores(table);
    expect(new Set(expected).size).toBeGreaterThan(3);
    // DuckDB reads Yes and No of a CSV file as BOOLEAN.
    const typed = `SELECT paid, bit = 1 AS bit, x FROM '${table}'`;
    expect(await scores(typed)).toEqual(expected);
    const [parquet, csv] = [path("rows.parquet"), path("flags.csv")];
    const opened = await openTable(typed);
    expect(opened.columns.map(({ type }) => type)).toEqual(["BOOLEAN", "BOOLEAN", "BIGINT"]);
    await opened.database.run(`COPY (${typed}) TO '${parquet}'`);
    await opened.database.run(`COPY (${typed}) TO '${csv}'`);
    await opened.close();
    expect(await scores(parquet)).toEqual(expected);
    expect(await scores(csv)).toEqual(expected);
  });

  it("may have true and false in rows in memory, and keep their spelling", async () => {
    const loaded = TableModel.from(await decodeModel(readFileSync(model)));
    const flags = rows.map(({ paid, bit, x }) => ({ paid: paid === "Yes", bit: bit === 1, x }));
    expect(await loaded.score(flags)).toEqual(await loaded.score(rows));
    const { columns } = loaded;
    expect(trend(rows, flags, { columns })).toEqual(trend(rows, rows, { columns }));
    const drawn = await loaded.sample(20, { given: { paid: false, bit: true } });
    for (const row of drawn) expect(row).toMatchObject({ paid: "No", bit: 1 });
  });

  it.each(["paid=yes,bit=true", "paid=true,bit=1", "paid=T,bit=Yes"])("can be given as %s", async (given) => {
    const { code, out } = await pushforward(["sample", model, "--given", given, "-n", "3", "-o", "-"]);
    expect(code).toBe(0);
    for (const line of out.trimEnd().split("\n").slice(1)) expect(line).toMatch(/^Yes,1,\d/);
  });
});
