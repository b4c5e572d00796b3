import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { Random } from "../../src/random/index.ts";
import { openTable, writeRows } from "../../src/tables/io/index.ts";
import { decodeModel, encodeModel } from "../../src/tables/model/index.ts";
import { correlated, linesOf, quickModel, workplace } from "./command.ts";

const here = workplace();
const { path, write, pushforward, failure, json } = here;

const KINDS = ["dog", "cat, grey", "emu"];
const MEANS = [0, 10, -10];
const DEVIATIONS = [1, 3, 0.2];

/** Rows with a height that is normal given the kind, plus four times the age. */
function animals(rows: number, seed: number): string {
  const random = new Random(seed);
  const noise = random.normal(new Float64Array(rows));
  const ages = random.uniform(new Float64Array(rows));
  const lines = Array.from({ length: rows }, (_, i) => {
    const k = i % KINDS.length;
    return `"${KINDS[k]}",${MEANS[k] + 4 * ages[i] + DEVIATIONS[k] * noise[i]},${ages[i]}`;
  });
  return ["kind,height,age", ...lines, ""].join("\n");
}

let table: string;
let model: string;

beforeAll(async () => {
  table = write("animals.csv", animals(3000, 1));
  model = path("animals.safetensors");
  const options = ["--flow", "maf", "--transforms", "2", "--learning-rate", "0.005", "--epochs", "60"];
  const { code, err } = await pushforward(["fit", table, "--given", "kind,age", ...options, "-o", model]);
  expect({ code, err: err.split("\n").filter((line) => line.startsWith("Warning")) }).toEqual({
    code: 0,
    err: [],
  });
});

async function column(source: string, name: string): Promise<unknown[]> {
  const opened = await openTable(source);
  const rows = await opened.database.run(`SELECT "${name}" FROM ${opened.relation.sql}`);
  await opened.close();
  return rows.map(([value]) => value);
}

describe("a text column in --given", () => {
  it("is a class label, and the density of each class is learned", async () => {
    const { given, labels, flow } = await decodeModel(readFileSync(model));
    expect({ given, labels, context: flow.context }).toEqual({
      given: ["age", "kind"],
      labels: [["cat, grey", "dog", "emu"]],
      context: 2,
    });
    const [{ meanLogDensity }] = await json("evaluate", model, write("others.csv", animals(3000, 2)));
    const entropy = DEVIATIONS.reduce(
      (sum, s) => sum + (0.5 * Math.log(2 * Math.PI * Math.E * s * s)) / 3,
      0,
    );
    expect(Math.abs((meanLogDensity as number) + entropy)).toBeLessThan(0.1);
  });

  it("is found by name at any position of the table", async () => {
    const [whole] = await json("evaluate", model, table);
    expect(await json("evaluate", model, `SELECT age, kind, 1 AS other, height FROM '${table}'`)).toEqual([
      whole,
    ]);
    const typed = `SELECT CAST(kind AS ENUM('emu', 'dog', 'cat, grey')) AS kind, age, height FROM '${table}'`;
    expect(await json("evaluate", model, typed)).toEqual([whole]);
  });

  it("is unchanged in scored tables, and if it is missing, the log-density is missing too", async () => {
    const gaps = write("gaps.csv", 'kind,height,age\ndog,0,0\n,0,0\n"cat, grey",0,0\n');
    const { err } = await pushforward(["score", model, gaps, "-o", path("scored.csv")]);
    expect(err).toContain("1 of 3 rows has no log-density because a value is missing.");
    const scored = linesOf(readFileSync(path("scored.csv"), "utf8"));
    expect(scored.map((row) => row.replace(/-?\d+\.\d+$/, "X"))).toEqual([
      "dog,0,0,X",
      ",0,0,",
      '"cat, grey",0,0,X',
    ]);
  });

  it("can be given to sample as a value, and is written with the samples", async () => {
    const drawn = async (...words: string[]) => {
      const { code, out, err } = await pushforward(["sample", model, "-n", "500", ...words]);
      expect({ code, err }).toEqual({ code: 0, err: "" });
      return linesOf(out);
    };
    for (const [k, kind] of KINDS.entries()) {
      const rows = await drawn("--given", `"kind=${kind}",age=0.5`);
      expect(rows.every((row) => row.endsWith(kind.includes(",") ? `,0.5,"${kind}"` : `,0.5,${kind}`))).toBe(
        true,
      );
      const heights = rows.map((row) => Number(row.split(",")[0]));
      const mean = heights.reduce((a, b) => a + b) / heights.length;
      expect(Math.abs(mean - MEANS[k] - 2)).toBeLessThan(0.15 + (5 * DEVIATIONS[k]) / Math.sqrt(500));
    }
    const whole = await drawn("--given", '"kind=cat, grey",age=0.5');
    expect(await drawn("--given", 'kind="cat, grey",age=0.5')).toEqual(whole);
    expect(await drawn("--given", 'age=0.5, kind="cat, grey"')).toEqual(whole);
    expect(await drawn("--given", "kind= emu ,age=0.5")).toEqual(await drawn("--given", "age=0.5,kind=emu"));
  });

  it("can be given to sample in a table, and is written in every format", async () => {
    const given = `SELECT kind, age FROM '${table}' LIMIT 30`;
    for (const name of ["drawn.csv", "drawn.tsv", "drawn.parquet", "drawn.json"]) {
      const { code, err } = await pushforward(["sample", model, "--given", given, "-o", path(name)]);
      expect({ code, err }).toEqual({ code: 0, err: `Wrote 30 rows to ${name}\n` });
      expect(await column(path(name), "kind")).toEqual(Array.from({ length: 30 }, (_, i) => KINDS[i % 3]));
      const [evaluated] = await json("evaluate", model, path(name));
      expect(evaluated.rows).toBe(30);
    }
  });

  it("is shown by inspect", async () => {
    const { out } = await pushforward(["inspect", model]);
    expect(out).toMatch(/^given {7}age \(\S+ to \S+\), kind \(cat, grey, dog or emu\)$/m);
    expect(out).toContain("embedding   1 number, labels of 3 classes -> 4\n");
    const [described] = await json("inspect", model);
    expect(described.labels).toEqual([["cat, grey", "dog", "emu"]]);
  });

  it("can be combined with other given columns and any flow", async () => {
    const lines = linesOf(animals(200, 3)).map((row, i) => `${row},${i % 2 === 0},${["x", "y"][i % 2]}`);
    const wide = write("wide.csv", ["kind,height,age,tame,side", ...lines, ""].join("\n"));
    const query = `SELECT kind, height, age, tame::BOOLEAN AS tame FROM '${wide}'`;
    const two = await decodeModel(readFileSync(await quickModel(here, query, "two", "--given", "tame,kind")));
    expect([two.columns, two.given, two.labels]).toEqual([
      ["height", "age"],
      ["kind", "tame"],
      [
        ["cat, grey", "dog", "emu"],
        ["false", "true"],
      ],
    ]);
    const out = path("default.safetensors");
    const few = `SELECT kind, height, age FROM '${wide}'`;
    const { code } = await pushforward(["fit", few, "--given", "kind", "--epochs", "1", "-o", out]);
    expect(code).toBe(0);
    expect((await decodeModel(readFileSync(out))).given).toEqual(["kind"]);
  });
});

describe("the command line refuses", () => {
  it("a label that the model does not know", async () => {
    const strange = write("strange.csv", "kind,height,age\ndog,1,1\nemus,1,1\n");
    expect(await failure("evaluate", model, strange)).toMatchInlineSnapshot(`
      "2
      Error: strange.csv has a label that the model was not trained on: expected in the column "kind" cat, grey, dog or emu, received 'emus' in row 2.
      Did you mean "emu"? Leave such rows out in a query, or train a model on rows with this label."
    `);
    expect(await failure("sample", model, "--given", strange)).toContain("received 'emus' in row 2");
    expect(await failure("sample", model, "--given", "kind=dogs,age=1")).toMatchInlineSnapshot(`
      "2
      Error: --given has an invalid value of kind: expected cat, grey, dog or emu, received dogs.
      Did you mean "dog"? For example: --given '"kind=cat, grey"'"
    `);
    expect(await failure("sample", model, "--given", "age=1")).toMatchInlineSnapshot(`
      "2
      Error: --given has no value of kind: expected values of age, kind.
      Write --given 'age=1,"kind=cat, grey"'"
    `);
    expect(await failure("sample", model)).toMatchInlineSnapshot(`
      "2
      Error: The model animals.safetensors is conditional on age, kind.
      Give values, --given 'age=1,"kind=cat, grey"', or a table with these columns."
    `);
  });

  it("another column of text, with a hint that keeps the columns of --given", async () => {
    const named = write("named.csv", "kind,place,height,age\ndog,Rome,1,1\nemu,Oslo,2,1\n");
    const options = ["--flow", "cnf", "-o", path("none.safetensors")];
    const message = await failure("fit", named, "--given", "kind,age", ...options);
    expect(message).toMatchInlineSnapshot(`
      "2
      Error: named.csv has a column that is not numeric: expected numbers in the chosen columns, received "place" (VARCHAR).
      Choose among the numeric columns: --columns height, or learn them for each label: --given age,kind,place"
    `);
  });

  it("a column of --given that holds neither numbers nor text", async () => {
    const dated = "SELECT DATE '2024-01-01' + i::INT AS day, sin(i) AS a FROM range(9) AS t(i)";
    const message = await failure("fit", dated, "--given", "day", "-o", path("none.safetensors"));
    expect(message).toMatchInlineSnapshot(`
      "2
      Error: The query has a column that is not numeric: expected numbers or labels in the columns of --given, received "day" (DATE).
      Name other columns, or convert these to numbers in a query."
    `);
  });

  it("a column with one label or too many", async () => {
    const fitting = (...words: string[]) => failure("fit", ...words, "-o", path("none.safetensors"));
    const ids = correlated(300)
      .trimEnd()
      .split("\n")
      .map((line, i) => `${line},${i === 0 ? "id" : `n${i}`}`);
    expect(await fitting(write("ids.csv", ids.join("\n")), "--given", "id")).toMatchInlineSnapshot(`
      "2
      Error: The column "id" of ids.csv has too many labels: expected numbers, or text of at most 256 different labels, received 300 different labels.
      Leave it out of --given, or combine labels in a query."
    `);
    const same = write("same.csv", "a,kind\n1,x\n2,x\n3,x\n");
    expect(await fitting(same, "--given", "kind")).toMatchInlineSnapshot(`
      "2
      Error: The column "kind" of same.csv is constant: expected at least two different values, received 'x' in all 3 rows.
      Leave it out of --given."
    `);
    const stray = write("stray.csv", "a,kind\n1,4\n2,x\n3,5\n");
    expect(await fitting(stray, "--given", "kind")).toMatchInlineSnapshot(`
      "2
      Error: stray.csv has a column that is not numeric: expected numbers or labels in the columns of --given, received "kind" ('x' in row 2).
      Correct the value, or read it as missing (--na x)."
    `);
  });

  it("a model whose labels do not match its flow", async () => {
    const { labels: _, ...own } = await decodeModel(readFileSync(model));
    const read = (labels: string[][]) => async () => decodeModel(encodeModel({ ...own, labels }));
    await read([["a", "b", "c"]])();
    for (const labels of [
      [["a", "b"]],
      [["a", "b", "a"]],
      [],
      [
        ["a", "b", "c"],
        ["d", "e"],
      ],
    ])
      await expect(read(labels)).rejects.toThrow("the model's labels do not match the classes of its flow");
  });
});

it("writes labels that need quotes so that they can be read back", async () => {
  const names = ['say "hi"', "a,b", " edge ", "two\nlines", "'", "plain"];
  for (const name of ["quoted.csv", "quoted.tsv", "quoted.parquet", "quoted.jsonl"]) {
    const rows = [Float64Array.from([1, 0, 2, 1, 3, 2, 4, 3, 5, 4, 6, 5])];
    await writeRows(["x", "label"], rows, path(name), { labels: new Map([["label", names]]) });
    expect(await column(path(name), "label")).toEqual(names);
  }
});
