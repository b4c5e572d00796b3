import { describe, expect, it } from "vitest";
import { decodeRows } from "../../src/tables/columns/encode.ts";
import type { TableColumn } from "../../src/tables/columns/tableColumn.ts";
import { openTable } from "../../src/tables/io/index.ts";
import { type ScanFeaturesOptions, scanFeatures } from "../../src/tables/io/scanFeatures.ts";
import { infer } from "../tables/infer.ts";
import { learnColumns, readAllColumns } from "./learnColumns.ts";
import { temporaryDirectory } from "./temporaryFiles.ts";

const files = temporaryDirectory();
const csv = (name: string, ...rows: string[]) => files.write(`${name}.csv`, `${rows.join("\n")}\n`);

async function scan(source: string, columns: readonly TableColumn[], options: ScanFeaturesOptions = {}) {
  const table = await openTable(source);
  try {
    const features = await scanFeatures(table, columns, options);
    const blocks = [];
    for await (const block of features.blocks()) blocks.push(block);
    return { blocks, unlearned: features.unlearned };
  } finally {
    await table.close();
  }
}

const LEARNED = `SELECT i % 30 AS n, i / 7.3 + 0.001 * sin(i) AS x, ['a', 'b', 'c'][1 + i % 3] AS word, i % 2 = 0 AS flag,
  DATE '2020-01-01' + i::INT AS day, TIME '00:00' + to_minutes(7 * i) AS time, 'same' AS fixed,
  CASE WHEN i % 5 > 0 THEN i % 4 END AS gap FROM range(1, 100) AS t(i)`;

describe("features of a table", () => {
  it("are those of dates in text with the day first, also where the text is not in a CSV file", async () => {
    const text = "SELECT strftime(DATE '2020-01-01' + i::INT, '%d/%m/%Y') AS day FROM range(100) AS t(i)";
    const columns = await learnColumns(text);
    expect(columns).toMatchObject([{ kind: "time", type: "date" }]);
    const { blocks } = await scan(text, columns);
    const [days] = decodeRows(columns, blocks[0]!.rows.values);
    expect([days![0], days![99]]).toEqual([Date.UTC(2020, 0, 1), Date.UTC(2020, 3, 9)]);
    // Each of these dates has a month up to 12 in both places.
    await expect(scan("SELECT unnest(['01/02/2020', '03/04/2020']) AS day", columns)).rejects.toThrow(
      "Day and month cannot be told apart",
    );
  });

  it("are those of its values, in any blocks, with NaN for gaps", async () => {
    const table = await openTable(LEARNED);
    const raw = await readAllColumns(LEARNED);
    const columns = raw.map((column) => infer(column));
    const scanned = await scanFeatures(table, columns, { blockRows: 30 });
    for (let epoch = 0; epoch < 2; epoch++) {
      let rows = 0;
      for await (const block of scanned.blocks()) {
        const decoded = decodeRows(columns, block.rows.values);
        const end = rows + block.rows.rows;
        expect(block.start).toBe(rows + 1);
        expect([block.rows.rowNumbers[0], block.rows.rowNumbers.at(-1)]).toEqual([rows + 1, end]);
        expect(block.status.every((status) => status === 0)).toBe(true);
        columns.forEach((column, d) => {
          if (column.kind === "constant") return;
          const labels = column.kind === "categorical" ? column.labels : undefined;
          const shown = (value: number, names: readonly string[] | undefined = labels) =>
            names && !Number.isNaN(value) ? names[value] : value;
          const expected = Array.from(raw[d]!.values.slice(rows, end), (value) =>
            shown(value, column.type === "boolean" ? labels : raw[d]!.labels),
          );
          const received = Array.from(decoded[d]!, (value) => shown(value));
          if (column.kind === "continuous")
            for (const [n, value] of received.entries()) expect(value).toBeCloseTo(expected[n] as number, 12);
          else expect(received).toEqual(expected);
        });
        rows = end;
      }
      expect(rows).toBe(99);
      expect(scanned.unlearned).toEqual([]);
    }
    await table.close();
  });

  it("have given columns of numbers as context", async () => {
    const [x] = await learnColumns("SELECT sin(i) AS x FROM range(50) AS t(i)");
    const { blocks } = await scan("SELECT NULL::DOUBLE AS g, 0.5 AS x UNION ALL SELECT 2, 0.5", [x!], {
      given: ["g"],
    });
    expect([...blocks[0]!.rows.context]).toEqual([Number.NaN, 2]);
    expect([...blocks[0]!.status]).toEqual([2, 0]);
  });

  it("do not depend on the format, the order of the columns and the notation of values", async () => {
    const columns = (await learnColumns(LEARNED)).filter(({ name }) => name !== "x");
    const row = { gap: null, fixed: "same", time: "00:07", day: "2020-02-29", flag: true, word: "b", n: 3.0 };
    const paths = [
      csv("notation", "n,word,flag,day,time,fixed,gap", "3.0,b,TRUE,2020-02-29,00:07:00,same,"),
      csv("integers", "n,word,flag,day,time,fixed,gap", "3,b,1,2020-02-29,00:07,same,"),
      csv("decimals", "n,word,flag,day,time,fixed,gap", "3,b,1.0,2020-02-29,00:07,same,"),
      csv("order", "gap;fixed;time;day;flag;word;n;other", ";same;0:07;29.2.2020;true;b;3;x"),
      files.write("row.json", JSON.stringify([row])),
    ];
    const all = await Promise.all(paths.map((path) => scan(path, columns)));
    const [flag] = await learnColumns("SELECT i % 2 = 0 AS flag FROM range(20) AS t(i)");
    const floats = await scan("SELECT unnest([1, 0, 'NaN'::DOUBLE, NULL]) AS flag", [flag!]);
    expect([...floats.blocks[0]!.rows.values]).toEqual([1, 0, Number.NaN, Number.NaN]);
    for (const { blocks, unlearned } of all) {
      expect(blocks[0]!.rows.values).toEqual(all[0]!.blocks[0]!.rows.values);
      expect(blocks[0]!.rows.values.filter(Number.isNaN)).toHaveLength(1);
      expect(unlearned).toEqual([]);
    }
  });
});

it("times of day with a time zone are features in UTC, in any format", async () => {
  const columns = await learnColumns(
    "SELECT TIME '00:00' + to_minutes(7 * i) AS time FROM range(1, 100) AS t(i)",
  );
  const [utc, ...others] = await Promise.all(
    [
      "SELECT TIME '07:00' AS time",
      "SELECT TIMETZ '09:00:00+02:00' AS time",
      csv("offsets", "time", "09:00:00+02:00"),
      csv("zulu", "time", "07:00:00Z"),
    ].map((source) => scan(source, columns)),
  );
  for (const { blocks, unlearned } of others) {
    expect(unlearned).toEqual([]);
    expect(blocks[0]!.rows.values).toEqual(utc!.blocks[0]!.rows.values);
  }
});

describe("values that were not learned", () => {
  it("are counted, with the first of them", async () => {
    const columns = await learnColumns(LEARNED);
    const header = "n,x,word,flag,day,time,fixed,gap";
    const good = "5,0.6,a,true,2020-01-05,00:35,same,1";
    const { blocks, unlearned } = await scan(
      csv(
        "unlearned",
        header,
        good,
        "5.5,-1,new,false,2020-01-05,00:35:30,other,1.5",
        ",,,,,,,",
        "-7,0.6,newer,true,1980-01-05,23:59,same,",
        good,
      ),
      columns,
      { blockRows: 2 },
    );
    expect(unlearned).toMatchInlineSnapshot(`
      [
        {
          "column": "n",
          "kind": "impossible",
          "row": 2,
          "rows": 2,
          "value": "5.5",
        },
        {
          "column": "n",
          "kind": "incomplete",
          "row": 3,
          "rows": 1,
          "value": undefined,
        },
        {
          "column": "x",
          "kind": "impossible",
          "row": 2,
          "rows": 1,
          "value": "-1",
        },
        {
          "column": "x",
          "kind": "incomplete",
          "row": 3,
          "rows": 1,
          "value": undefined,
        },
        {
          "column": "word",
          "kind": "unseen",
          "row": 2,
          "rows": 2,
          "value": "new",
        },
        {
          "column": "word",
          "kind": "incomplete",
          "row": 3,
          "rows": 1,
          "value": undefined,
        },
        {
          "column": "flag",
          "kind": "incomplete",
          "row": 3,
          "rows": 1,
          "value": undefined,
        },
        {
          "column": "day",
          "kind": "impossible",
          "row": 4,
          "rows": 1,
          "value": "1980-01-05",
        },
        {
          "column": "day",
          "kind": "incomplete",
          "row": 3,
          "rows": 1,
          "value": undefined,
        },
        {
          "column": "time",
          "kind": "impossible",
          "row": 2,
          "rows": 1,
          "value": "00:35:30",
        },
        {
          "column": "time",
          "kind": "incomplete",
          "row": 3,
          "rows": 1,
          "value": undefined,
        },
        {
          "column": "fixed",
          "kind": "impossible",
          "row": 2,
          "rows": 1,
          "value": "other",
        },
        {
          "column": "fixed",
          "kind": "incomplete",
          "row": 3,
          "rows": 1,
          "value": undefined,
        },
        {
          "column": "gap",
          "kind": "impossible",
          "row": 2,
          "rows": 1,
          "value": "1.5",
        },
      ]
    `);
    expect(blocks.flatMap(({ status }) => [...status])).toEqual([0, 1, 2, 1, 0]);
  });

  it("include everything in a column that was always missing", async () => {
    const columns = await learnColumns("SELECT NULL::DOUBLE AS never, i * i AS n FROM range(30) AS t(i)");
    const { blocks, unlearned } = await scan(
      "SELECT 4 AS n, NULL::DOUBLE AS never UNION ALL SELECT 4, 1.5",
      columns,
    );
    expect(unlearned).toEqual([{ column: "never", kind: "impossible", rows: 1, row: 2, value: "1.5" }]);
    expect([...blocks[0]!.status]).toEqual([0, 1]);
  });

  it("do not include codes that were learned beside a bound", async () => {
    const source =
      "SELECT CASE WHEN i % 9 = 0 THEN -999 ELSE 0.01 + i * abs(sin(i)) END AS x FROM range(300) AS t(i)";
    const columns = await learnColumns(source);
    expect(columns).toMatchObject([{ kind: "continuous", low: 0, codes: [-999] }]);
    const { blocks, unlearned } = await scan("SELECT unnest([-999, -998, 0, 3.25]) AS x", columns);
    expect([...blocks[0]!.status]).toEqual([0, 1, 0, 0]);
    expect(unlearned).toEqual([{ column: "x", kind: "impossible", rows: 1, row: 2, value: "-998" }]);
    expect([...decodeRows(columns, blocks[0]!.rows.values)[0]!]).toEqual([-999, 0, 0, 3.25]);
  });
});

describe("a table with other columns", () => {
  const failure = async (source: string, columns: readonly TableColumn[]) =>
    files.failure(scan(source, columns));

  it("is an error if a column is missing", async () => {
    const columns = await learnColumns(LEARNED);
    expect(await failure(csv("lacking", "n,x,wrod", "1,2,a"), columns)).toMatchInlineSnapshot(`
      "DATA lacking.csv has no columns "word", "flag", "day", "time", "fixed", "gap": expected the columns of the model, "n", "x", "word", "flag", "day", "time", "fixed", "gap", received "n", "x", "wrod".
      Add the missing columns, or rename a column in a query: "SELECT * RENAME (wrod AS word) FROM 'lacking.csv'""
    `);
  });

  it("is an error if a column has text where numbers or dates were learned", async () => {
    const columns = await learnColumns(LEARNED);
    const only = (name: string) => columns.filter((column) => column.name === name);
    expect(await failure(csv("text", "n", "1", "two"), only("n"))).toMatchInlineSnapshot(`
      "DATA The column "n" of text.csv has a value of a different type from the training table: expected numbers, received 'two' in row 2.
      Correct the value, or read it as missing (--na two)."
    `);
    expect(await failure(csv("commas", "n;m", "2.013,15;1"), only("n"))).toMatchInlineSnapshot(`
      "DATA The column "n" of commas.csv has a value of a different type from the training table: expected numbers, received '2.013,15' in row 1.
      Read decimal commas with --decimal ","."
    `);
    expect(await failure(csv("either", "n;m", "2,013;1"), only("n"))).toMatchInlineSnapshot(`
      "DATA The column "n" of either.csv has a value of a different type from the training table: expected numbers, received '2,013' in row 1.
      Read decimal commas with --decimal ",", or remove commas between thousands in a query: CAST(replace(n, ',', '') AS DOUBLE) AS n"
    `);
    expect(await failure(csv("thousands", "n;m", "2,013.5;1"), only("n"))).toMatchInlineSnapshot(`
      "DATA The column "n" of thousands.csv has a value of a different type from the training table: expected numbers, received '2,013.5' in row 1.
      Remove the commas between thousands in a query: CAST(replace(n, ',', '') AS DOUBLE) AS n"
    `);
    expect(await failure(csv("date", "day", "2020-01-01", "2020-02-30"), only("day"))).toMatchInlineSnapshot(`
      "DATA The column "day" of date.csv has a value of a different type from the training table: expected dates such as 2020-12-31, received '2020-02-30' in row 2.
      Correct the value, or read it as missing (--na 2020-02-30)."
    `);
    expect(await failure(csv("order", "day", "1/2/2020", "3/4/2020"), only("day"))).toMatchInlineSnapshot(`
      "DATA The column "day" of order.csv has a value of a different type from the training table: expected dates such as 2020-12-31, received '1/2/2020' in row 1.
      Day and month cannot be told apart. Convert the dates in a query: strptime(day, '%d/%m/%Y') AS day"
    `);
    expect(await failure("SELECT 'noon' AS time", only("time"))).toMatchInlineSnapshot(`
      "DATA The column "time" of the query has a value of a different type from the training table: expected times such as 23:59:59, received 'noon' in row 1.
      Correct the value, or read it as missing (--na noon)."
    `);
    expect(await failure(csv("flag", "flag", "true", "perhaps"), only("flag"))).toMatchInlineSnapshot(`
      "DATA The column "flag" of flag.csv has a value of a different type from the training table: expected true or false, received 'perhaps' in row 2.
      Correct the value, or read it as missing (--na perhaps)."
    `);
    expect(await failure(csv("counts", "flag", "1", "2"), only("flag"))).toContain("received '2' in row 2");
  });

  it("is an error if a column has numbers or lists where text or dates were learned", async () => {
    const columns = await learnColumns(LEARNED);
    const only = (name: string) => columns.filter((column) => column.name === name);
    expect(await failure(csv("numbers", "word", "1", "2"), only("word"))).toMatchInlineSnapshot(`
      "DATA The column "word" of numbers.csv has a different type from the training table: expected text, received BIGINT.
      Convert the column in a query, or train a model on a table in which it has this type."
    `);
    expect(await failure("SELECT ['a'] AS word", only("word"))).toMatchInlineSnapshot(`
      "DATA The column "word" of the query has a different type from the training table: expected text, received VARCHAR[].
      Convert the column in a query, or train a model on a table in which it has this type."
    `);
    expect(await failure(csv("dates", "day", "20200101"), only("day"))).toMatchInlineSnapshot(`
      "DATA The column "day" of dates.csv has a different type from the training table: expected dates such as 2020-12-31, received BIGINT.
      Convert the column in a query, or train a model on a table in which it has this type."
    `);
    expect(await failure("SELECT TIME '10:00' AS n", only("n"))).toMatchInlineSnapshot(`
      "DATA The column "n" of the query has a different type from the training table: expected numbers, received TIME.
      Convert the column in a query, or train a model on a table in which it has this type."
    `);
    expect(await failure("SELECT 7 AS fixed", only("fixed"))).toMatchInlineSnapshot(`
      "DATA The column "fixed" of the query has a different type from the training table: expected text, received INTEGER.
      Convert the column in a query, or train a model on a table in which it has this type."
    `);
  });

  it("may have missing values only, and numbers for labels that are numbers", async () => {
    const columns = await learnColumns(LEARNED);
    const { unlearned } = await scan(
      csv("empty", "gap,n", ",", ",3"),
      columns.filter(({ name }) => name === "gap"),
    );
    expect(unlearned).toEqual([]);
    const zip = await learnColumns(
      csv("zip", "zip,n", ...Array.from({ length: 30 }, (_, i) => `${i % 2 ? "00123" : "94110"},${i * i}`)),
    );
    const { blocks } = await scan(csv("zips", "n,zip", "1,94110", "4,94110"), zip);
    expect([...blocks[0]!.rows.values]).toEqual([1, 1, 1, 4]);
  });

  it("is an error if a number is infinite", async () => {
    const columns = await learnColumns(LEARNED);
    expect(
      await failure(
        csv("inf", "x", "1", "-inf"),
        columns.filter(({ name }) => name === "x"),
      ),
    ).toMatchInlineSnapshot(`
      "DATA The column "x" of inf.csv is infinite in row 2: expected finite numbers, received -Infinity.
      Correct the value, or replace it by an empty field, which counts as missing."
    `);
  });
});
