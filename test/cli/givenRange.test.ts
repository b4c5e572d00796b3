import { readFileSync } from "node:fs";
import { beforeAll, expect, it } from "vitest";
import { decodeModel } from "../../src/tables/model/index.ts";
import { quickModel, workplace } from "./command.ts";

const here = workplace();
const { write, pushforward, failure, path } = here;

let model: string;

beforeAll(async () => {
  const rows = Array.from({ length: 190 }, (_, i) => {
    const kind = i === 7 ? "emu" : i % 2 ? "cat" : "dog";
    return `${Math.sin(12.9898 * i)},${(i % 41) - 0.5},${kind}`;
  });
  const table = write("animals.csv", ["height,temp,kind", ...rows, ""].join("\n"));
  model = await quickModel(here, table, "animals", "--given", "temp,kind", "--test-fraction", "0");
});

const warnings = async (...words: string[]): Promise<string[]> => {
  const { code, err } = await pushforward(words);
  expect(code, err).toBe(0);
  return err.split("\n").filter((line) => line.startsWith("Warning"));
};
const sampled = (given: string) => warnings("sample", model, "-n", "2", "--given", given);

it("keeps the ranges of numbers and the counts of labels in the model", async () => {
  expect((await decodeModel(readFileSync(model))).training?.given).toEqual([
    { minimum: -0.5, maximum: 39.5 },
    { counts: [94, 95, 1] },
  ]);
  expect((await pushforward(["inspect", model])).out).toContain(
    "given       temp (-0.5 to 39.5), kind (cat, dog or emu)\n",
  );
});

it("warns of numbers outside of the range of the training rows, and of rare labels", async () => {
  expect(await sampled("temp=39.5,kind=cat")).toEqual([]);
  // A value may be outside of the range by 5% of its width.
  expect(await sampled("temp=41,kind=dog")).toEqual([]);
  expect(await sampled("temp=500,kind=emu")).toMatchInlineSnapshot(`
    [
      "Warning: temp=500 is outside of the range of the training rows, -0.5 to 39.5: the model extrapolates.",
      "Warning: kind=emu occurs in only 1 training row: the model has learned little about this label.",
    ]
  `);
  expect(await sampled("temp=-3,kind=dog")).toHaveLength(1);
});

it("warns of tables in every command", async () => {
  const table = write("new.csv", "height,temp,kind\n0,1,cat\n0,500,emu\n,900,cat\n0,-90,emu\n");
  const expected = await warnings("sample", model, "--given", `SELECT temp, kind FROM '${table}'`);
  expect(expected).toMatchInlineSnapshot(`
    [
      "Warning: temp=500 (row 2, and 2 more rows) is outside of the range of the training rows, -0.5 to 39.5: the model extrapolates.",
      "Warning: kind=emu (row 2, and 1 more row) occurs in only 1 training row: the model has learned little about this label.",
    ]
  `);
  expect(await warnings("evaluate", model, table)).toMatchInlineSnapshot(`
    [
      "Warning: 1 of 4 rows has no log-density because a value is missing.",
      "Warning: temp=500 (row 2, and 1 more row) is outside of the range of the training rows, -0.5 to 39.5: the model extrapolates.",
      "Warning: kind=emu (row 2, and 1 more row) occurs in only 1 training row: the model has learned little about this label.",
    ]
  `);
  expect(await warnings("score", model, table, "-o", path("scored.csv"))).toEqual(
    expect.arrayContaining(await warnings("evaluate", model, table)),
  );
});

it("refuses two values of one column, and numbers that overflow float32", async () => {
  expect(await failure("sample", model, "--given", "kind=cat,kind=dog,temp=1")).toMatchInlineSnapshot(`
    "2
    Error: --given has two values of kind.
    Give one of them, or a table with a row for each."
  `);
  expect(await failure("sample", model, "--given", "kind=cat,temp=1e39")).toMatchInlineSnapshot(`
    "2
    Error: --given has an invalid value of temp: expected a number up to 3.4e+38, received 1e39.
    For example: --given temp=1"
  `);
  const table = write("large.csv", "temp,kind\n1,cat\n-1e39,dog\n");
  expect(
    await failure("sample", model, "--given", table, "-o", path("large-out.csv")),
  ).toMatchInlineSnapshot(`
    "2
    Error: large.csv has a value that is too large in row 2: expected numbers up to 3.4e+38 in temp, received -1e+39.
    Correct it, or leave the row out in a query."
  `);
  expect(here.list()).not.toContain("large-out.csv");
});
