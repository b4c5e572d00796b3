import { readFileSync } from "node:fs";
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import type { TableColumn } from "../../src/tables/columns/tableColumn.ts";
import { openTable } from "../../src/tables/io/index.ts";
import { scanFeatures } from "../../src/tables/io/scanFeatures.ts";
import { writeImputed } from "../../src/tables/io/writeImputed.ts";
import { writeTable } from "../../src/tables/io/writeTable.ts";
import { learnColumns } from "./learnColumns.ts";
import { temporaryDirectory } from "./temporaryFiles.ts";

const files = temporaryDirectory();

/** The columns that are inferred from a table, and all rows as features. */
async function encoded(source: string, like?: readonly TableColumn[]) {
  const columns = like ?? (await learnColumns(source));
  const table = await openTable(source);
  const chunks: Float64Array[] = [];
  for await (const { rows } of (await scanFeatures(table, columns)).blocks()) chunks.push(rows.values);
  await table.close();
  return { columns, chunks };
}

const write = async (source: string, name: string) => {
  const { columns, chunks } = await encoded(source);
  await writeTable(columns, chunks, files.path(name));
  return files.path(name);
};

/** The types of the columns, and the values of all rows. */
async function contents(path: string) {
  const table = await openTable(path);
  const rows = await table.database.run(`FROM ${table.relation.sql}`);
  const types = table.columns.map(({ type }) => type);
  await table.close();
  return { types, rows };
}

const KINDS = `SELECT 3 * (i % 5) AS n, (i % 7) / 4 AS quarter, sin(i) AS x, CASE WHEN i % 3 > 0 THEN ['a', 'b,"c"', '🎉'][i % 3] END AS word,
  i % 2 = 0 AS flag, DATE '1960-01-30' + 40 * i::INT AS day, TIMESTAMP '2020-01-01 00:00:00' + to_minutes(17 * i) AS at,
  TIME '00:00' + to_seconds(7 * i) AS time, 'same' AS fixed, DATE '2020-02-29' AS leap, NULL::DOUBLE AS never, 1.5 AS constant,
  CASE WHEN i % 2 = 0 THEN 7 END AS sometimes FROM range(1, 60) AS t(i)`;

describe("tables of features", () => {
  it.each(["csv", "tsv", "json", "jsonl", "parquet", "csv.gz"])(
    "are written as %s with the values that were read",
    async (ending) => {
      const path = await write(KINDS, `kinds.${ending}`);
      const again = await encoded(path);
      const { columns, chunks } = await encoded(KINDS);
      expect(again.chunks).toEqual(chunks);
      const untyped = (all: readonly TableColumn[]) => all.map(({ type, ...column }) => column);
      expect(untyped(again.columns)).toEqual(untyped(columns));
    },
  );

  it("have the learned types in Parquet", async () => {
    const { types, rows } = await contents(await write(KINDS, "types.parquet"));
    expect(types).toMatchInlineSnapshot(`
      [
        "BIGINT",
        "DOUBLE",
        "DOUBLE",
        "VARCHAR",
        "BOOLEAN",
        "DATE",
        "TIMESTAMP",
        "TIME",
        "VARCHAR",
        "DATE",
        "DOUBLE",
        "DOUBLE",
        "BIGINT",
      ]
    `);
    expect(rows[1]).toMatchInlineSnapshot(`
      [
        "6",
        0.5,
        0.9092974268256817,
        "b,"c"",
        true,
        "1960-04-19",
        "2020-01-01 00:34:00",
        "00:00:14",
        "same",
        "2020-02-29",
        null,
        1.5,
        "7",
      ]
    `);
  });

  it("have empty fields for missing values in CSV, and texts in ISO 8601", async () => {
    const path = await write(KINDS.replace("sin(i)", "i / 8"), "kinds.csv");
    expect(readFileSync(path, "utf8").split("\n").slice(0, 4).join("\n")).toMatchInlineSnapshot(`
      "n,quarter,x,word,flag,day,at,time,fixed,leap,never,constant,sometimes
      3,0.25,0.125,a,false,1960-03-10,2020-01-01 00:17:00,00:00:07,same,2020-02-29,,1.5,
      6,0.5,0.25,"b,""c""",true,1960-04-19,2020-01-01 00:34:00,00:00:14,same,2020-02-29,,1.5,7
      9,0.75,0.375,,false,1960-05-29,2020-01-01 00:51:00,00:00:21,same,2020-02-29,,1.5,"
    `);
  });

  it("have null for missing values in JSON", async () => {
    const path = await write(KINDS.replace("sin(i)", "i / 8"), "kinds.jsonl");
    expect(readFileSync(path, "utf8").split("\n")[2]).toMatchInlineSnapshot(
      `"{"n":9,"quarter":0.75,"x":0.375,"word":null,"flag":false,"day":"1960-05-29","at":"2020-01-01 00:51:00","time":"00:00:21","fixed":"same","leap":"2020-02-29","never":null,"constant":1.5,"sometimes":null}"`,
    );
  });

  it("may be followed by given numbers and labels", async () => {
    const { columns } = await encoded("SELECT i % 4 AS n FROM range(40) AS t(i)");
    const labels = new Map([["g", ["low", "high"]]]);
    const stream = new PassThrough();
    await writeTable(columns, [Float64Array.of(1, 1, 0.5, 3, 0, -2)], stream, { given: ["g", "h"], labels });
    stream.end();
    expect(await text(stream)).toBe("n,g,h\n1,high,0.5\n3,low,-2\n");
  });

  it("may have thousands of columns", async () => {
    const expressions = Array.from({ length: 2000 }, (_, d) => `(i * ${d + 1}) % 5 AS c${d}`);
    const query = `SELECT ${expressions.join(", ")} FROM range(50) AS t(i)`;
    const { types, rows } = await contents(await write(query, "wide.parquet"));
    expect(types).toHaveLength(2000);
    const { rows: expected } = await contents(query);
    for (const n of [0, 49]) expect(rows[n]!.map(Number)).toEqual(expected[n]!.map(Number));
  });

  it("keep large and negative integers, and dates far from 1970", async () => {
    const query = `SELECT (i * i * 1000003 - 5) * 1000 AS large, -i * i AS negative, DATE '0044-03-15' + i::INT * 31 AS early,
      TIMESTAMP '2262-04-11 23:47:16' + to_hours(i * i) AS late FROM range(100) AS t(i)`;
    for (const ending of ["csv", "parquet"]) {
      const { rows } = await contents(await write(query, `far.${ending}`));
      const { rows: expected } = await contents(query);
      expect(rows.map((row) => row.map(String))).toEqual(expected.map((row) => row.map(String)));
    }
  });
});

describe("imputed tables", () => {
  const MODEL = `SELECT i % 5 AS n, (i % 7) / 4 AS x, ['a', 'b'][1 + i % 2] AS word, i % 3 = 0 AS flag, DATE '2020-01-01' + i::INT AS day,
    TIME '10:00' + to_minutes(i) AS time FROM range(1, 60) AS t(i)`;

  /** Writes a table with the values of the first row of the model in place of missing ones. */
  async function impute(source: string, output: string, model = MODEL) {
    const { columns, chunks: donors } = await encoded(model);
    const { chunks } = await encoded(source, columns);
    const width = donors[0]!.length / 59;
    const filled = chunks.map((chunk) =>
      chunk.map((value, i) => (Number.isNaN(value) ? donors[0]![i % width]! : value)),
    );
    const table = await openTable(source, { na: ["?"] });
    try {
      await writeImputed(table, columns, filled, files.path(output));
    } finally {
      await table.close();
    }
    return files.path(output);
  }

  const GAPS = files.write(
    "gaps.csv",
    "id,n,x,word,flag,day,time\n007,3.0,1.50,b,True,2020-02-01,10:30\n?,,,,,,\n009,1,nan,a,,2020-02-03,\n",
  );

  it("keep all values of a text file as they are", async () => {
    expect(readFileSync(await impute(GAPS, "imputed.csv"), "utf8")).toMatchInlineSnapshot(`
      "id,n,x,word,flag,day,time
      007,3.0,1.50,b,True,2020-02-01,10:30
      ,1,0.25,b,false,2020-01-02,10:01:00
      009,1,0.25,a,false,2020-02-03,10:01:00
      "
    `);
  });

  it("have types in JSON and Parquet", async () => {
    expect(await contents(await impute(GAPS, "imputed.parquet"))).toMatchInlineSnapshot(`
      {
        "rows": [
          [
            "007",
            3,
            1.5,
            "b",
            true,
            "2020-02-01",
            "10:30:00",
          ],
          [
            null,
            1,
            0.25,
            "b",
            false,
            "2020-01-02",
            "10:01:00",
          ],
          [
            "009",
            1,
            0.25,
            "a",
            false,
            "2020-02-03",
            "10:01:00",
          ],
        ],
        "types": [
          "VARCHAR",
          "DOUBLE",
          "DOUBLE",
          "VARCHAR",
          "BOOLEAN",
          "DATE",
          "TIME",
        ],
      }
    `);
    expect(readFileSync(await impute(GAPS, "imputed.jsonl"), "utf8").split("\n")[1]).toMatchInlineSnapshot(
      `"{"id":null,"n":1.0,"x":0.25,"word":"b","flag":false,"day":"2020-01-02","time":"10:01:00"}"`,
    );
  });

  it("keep all digits of a text file in JSON, and text that was learned as text", async () => {
    const learned = files.write(
      "digits.csv",
      [
        "id,code,n,flag",
        ...Array.from(
          { length: 59 },
          (_, i) => `${["x", "0012345678901234567"][i % 2]},${i % 3 ? "p" : "12"},${1.5 * i},${i % 2 === 0}`,
        ),
      ].join("\n"),
    );
    const source = files.write(
      "gapsInDigits.csv",
      "id,code,n,flag\n99345678901234567890,12,007, true\n,,,\n99345678901234567890,12,12.5,false\n",
    );
    expect(readFileSync(await impute(source, "digits.jsonl", learned), "utf8")).toMatchInlineSnapshot(`
      "{"id":"99345678901234567890","code":"12","n":"007","flag":true}
      {"id":"x","code":"12","n":"0.0","flag":true}
      {"id":"99345678901234567890","code":"12","n":"12.5","flag":false}
      "
    `);
  });

  it("have fractions in a column that has only integers in a text file", async () => {
    const source = files.write("integers.csv", "x,n\n3,1\n,\n");
    const model = "SELECT (i % 7) / 4 AS x, i % 5 AS n FROM range(1, 60) AS t(i)";
    expect(await contents(await impute(source, "integers.parquet", model))).toEqual({
      types: ["DOUBLE", "BIGINT"],
      rows: [
        [3, "1"],
        [0.25, "1"],
      ],
    });
  });

  it("have no quotes of JSON in CSV", async () => {
    const path = files.write(
      "mixed.json",
      JSON.stringify([{ word: "b", n: 1 }, { n: 2 }, { word: 5, n: 2 }]),
    );
    const model = "SELECT i % 5 AS n, ['a', 'b', '5'][1 + i % 3] AS word FROM range(1, 60) AS t(i)";
    expect(readFileSync(await impute(path, "mixed.csv", model), "utf8")).toMatchInlineSnapshot(`
      "word,n
      b,1
      b,2
      5,2
      "
    `);
  });

  it("keep the types of Parquet and queries", async () => {
    const source = `SELECT unnest([NULL, 12.50::DECIMAL(6, 2)]) AS c0, unnest([2::TINYINT, NULL]) AS n, unnest(['nan', '0.5']::FLOAT[]) AS x,
      unnest([NULL, 'b']::ENUM('b', 'a')[]) AS word, unnest([NULL, true]) AS flag,
      unnest([NULL, TIMESTAMPTZ '2020-02-02 00:00:00+00']) AS day, unnest([TIME '10:11', NULL]) AS time`;
    expect(await contents(await impute(source, "typed.parquet"))).toMatchInlineSnapshot(`
      {
        "rows": [
          [
            null,
            2,
            0.25,
            "b",
            false,
            "2020-01-02 00:00:00+00",
            "10:11:00",
          ],
          [
            "12.50",
            1,
            0.5,
            "b",
            true,
            "2020-02-02 00:00:00+00",
            "10:01:00",
          ],
        ],
        "types": [
          "DECIMAL(6,2)",
          "TINYINT",
          "FLOAT",
          "VARCHAR",
          "BOOLEAN",
          "TIMESTAMP WITH TIME ZONE",
          "TIME",
        ],
      }
    `);
  });

  it("write times with a time zone of a text file as they are to CSV, and in UTC to Parquet", async () => {
    const path = files.write(
      "zone.csv",
      "n,x,word,flag,day,time\n1,1,a,true,2020-01-31T01:30:00+02:00,10:30\n1,1,a,true,,10:30\n",
    );
    expect(readFileSync(await impute(path, "zone.out.csv"), "utf8")).toMatchInlineSnapshot(`
      "n,x,word,flag,day,time
      1,1,a,true,2020-01-31T01:30:00+02:00,10:30
      1,1,a,true,2020-01-02,10:30
      "
    `);
    const { rows } = await contents(await impute(path, "zone.parquet"));
    expect(rows.map((row) => row[4])).toMatchInlineSnapshot(`
      [
        "2020-01-30 23:30:00",
        "2020-01-02 00:00:00",
      ]
    `);
  });

  it("write dates in one order", async () => {
    const path = files.write(
      "order.csv",
      "n,x,word,flag,day,time\n1,1,a,true,31/1/2020,10:30\n1,1,a,true,,10:30\n",
    );
    expect(readFileSync(await impute(path, "order.out.csv"), "utf8")).toMatchInlineSnapshot(`
      "n,x,word,flag,day,time
      1,1,a,true,2020-01-31,10:30
      1,1,a,true,2020-01-02,10:30
      "
    `);
  });

  it("must have all rows", async () => {
    const table = await openTable(GAPS);
    const { columns } = await encoded("SELECT i % 5 AS n FROM range(50) AS t(i)");
    expect(
      await files.failure(writeImputed(table, columns, [Float64Array.of(1)], files.path("short.csv"))),
    ).toMatchInlineSnapshot(
      `"ARGUMENT The imputed rows do not match the rows of gaps.csv: expected 3, one per row, received 1."`,
    );
    await table.close();
  });
});
