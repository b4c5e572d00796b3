import { readFileSync } from "node:fs";
import { beforeAll, expect, it } from "vitest";
import { Uniform } from "../../src/distributions/index.ts";
import { Flow } from "../../src/flows/index.ts";
import { encodeModel } from "../../src/tables/model/index.ts";
import { workplace } from "./command.ts";

const { path, write, pushforward, failure, json, outputs } = workplace();
const model = path("model.safetensors");
const numbers = path("numbers.safetensors");

beforeAll(async () => {
  const rows = Array.from({ length: 220 }, (_, i) => `${["a", "b"][(i * i) % 3 ? 0 : 1]},${(i * 7) % 10}`);
  const table = write("table.csv", ["k,x", ...rows, ""].join("\n"));
  await outputs("fit", table, "--budget", "small", "--epochs", "2", "-o", model);
  const real = Array.from({ length: 60 }, (_, i) => `${Math.sin(i)},${Math.cos(3 * i)}`);
  const realTable = write("real.csv", ["y,z", ...real, ""].join("\n"));
  await outputs("fit", realTable, "--flow", "nsf", "--epochs", "1", "-o", numbers);
  write("good.csv", "k,x\na,1\nb,2\n");
  write("impossible.csv", "k,x\na,1000\nb,2000\n");
  write("incomplete.csv", "k,x\na,\n,3\n");
});

it("says which value is missing if no row can be scored", async () => {
  const incomplete = path("incomplete.csv");
  expect([
    await failure("evaluate", model, incomplete),
    await failure("anomalies", model, incomplete),
    await failure("score", model, incomplete, "-o", path("scored.csv")),
    await failure("compare", model, model, incomplete),
    await failure("report", model, incomplete, "-o", path("report.html")),
    await failure("evaluate", numbers, write("holes.csv", "y,z\n1,\n,2\n")),
    await failure("evaluate", model, write("empty.csv", "k,x\n")),
    await failure("anomalies", model, write("empty.csv", "k,x\n")),
  ]).toMatchInlineSnapshot(`
    [
      "2
    Error: No row of incomplete.csv can be scored, because values are missing: expected a value in each column that had no missing values in training, received 2 incomplete rows; row 1 has no value of "x".
    Fill in the missing values, or fit a default model to a table in which values of these columns are missing too.",
      "2
    Error: No row of incomplete.csv can be scored, because values are missing: expected a value in each column that had no missing values in training, received 2 incomplete rows; row 1 has no value of "x".
    Fill in the missing values, or fit a default model to a table in which values of these columns are missing too.",
      "2
    Error: No row of incomplete.csv can be scored, because values are missing: expected a value in each column that had no missing values in training, received 2 incomplete rows; row 1 has no value of "x".
    Fill in the missing values, or fit a default model to a table in which values of these columns are missing too.",
      "2
    Error: No row of incomplete.csv can be scored, because values are missing: expected a value in each column that had no missing values in training, received 2 incomplete rows; row 1 has no value of "x".
    Fill in the missing values, or fit a default model to a table in which values of these columns are missing too.",
      "2
    Error: No row of incomplete.csv can be scored, because values are missing: expected a value in each column that had no missing values in training, received 2 incomplete rows; row 1 has no value of "x".
    Fill in the missing values, or fit a default model to a table in which values of these columns are missing too.",
      "2
    Error: No row of holes.csv can be scored, because values are missing: expected a value in each column that had no missing values in training, received 2 incomplete rows; row 1 has no value of "z".
    Fill in the missing values, or fit a default model to a table in which values of these columns are missing too.",
      "2
    Error: empty.csv has no rows.
    Give a table with rows below its header.",
      "2
    Error: empty.csv has no rows.
    Give a table with rows below its header.",
    ]
  `);
});

it("says so if all rows are impossible", async () => {
  const { code, out, err } = await pushforward(["evaluate", model, path("impossible.csv")]);
  expect({ code, out, err }).toMatchInlineSnapshot(`
    {
      "code": 0,
      "err": "Warning: 2 rows of impossible.csv (the first is row 1) have a value of "x" that the model considers impossible, such as 1000 (expected integer: within 0 to 9). Its log-density is -Infinity.
    Warning: The model considers all 2 scored rows of impossible.csv impossible. Check that the columns have the units of the training table, or fit the model to a table that has such rows too.
    ",
      "out": "Mean log-density of 2 rows: -Infinity nats
    ",
    }
  `);
  const { err: ofSome } = await pushforward(["evaluate", model, path("good.csv"), path("impossible.csv")]);
  expect(ofSome).not.toContain("considers all");
});

it("names the file of a row", async () => {
  const tables = ["good.csv", "incomplete.csv", "impossible.csv"].map(path);
  const { err } = await pushforward(["score", model, ...tables, "-o", path("scored.csv")]);
  expect(err).toMatchInlineSnapshot(`
    "Warning: Row 2 of incomplete.csv has no value of "k", and so cannot be scored: no value of this column was missing in training.
    Warning: 2 rows (the first is row 1 of impossible.csv) have a value of "x" that the model considers impossible, such as 1000 (expected integer: within 0 to 9). Its log-density is -Infinity.
    Warning: Row 1 of incomplete.csv has no value of "x", and so cannot be scored: no value of this column was missing in training.
    Warning: 2 of 6 rows have no log-density because a value is missing.
    Wrote 6 rows with log_density to scored.csv
    "
  `);
  const { out } = await pushforward(["anomalies", model, ...tables, "-n", "1", "-o", path("unusual.csv")]);
  expect(out).toMatch(/^Row 2 of impossible.csv {2}p = /m);
  const [found] = (await json("anomalies", model, ...tables, "-n", "1")) as [{ anomalies: object[] }];
  expect(found.anomalies[0]).toMatchObject({
    row: 6,
    file: expect.stringContaining("impossible.csv"),
    fileRow: 2,
  });
  const [ofOne] = (await json("anomalies", model, tables[2]!, "-n", "1")) as [{ anomalies: object[] }];
  expect(ofOne.anomalies[0]).not.toHaveProperty("file");
  const firstFields = (name: string) =>
    readFileSync(path(name), "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => line.split(",").slice(0, 4).join(",").replace(path(""), ""));
  expect(firstFields("unusual.csv")).toMatchInlineSnapshot(`
    [
      "k,x,file,file_row",
      "a,1,/good.csv,1",
      "b,2,/good.csv,2",
      "a,,/incomplete.csv,1",
      ",3,/incomplete.csv,2",
      "a,1000,/impossible.csv,1",
      "b,2000,/impossible.csv,2",
    ]
  `);
});

it("--strict refuses impossible rows of a model of numbers, but not rows without a value that the model needs", async () => {
  const flow = new Flow(new Uniform({ features: 2 }));
  const square = write("square.safetensors", encodeModel({ flow, columns: ["y", "z"] }));
  const out = path("strict.csv");
  const outside = write("outside.csv", "y,z\n0.5,0.5\n2,0.5\n");
  expect(await failure("score", square, outside, "--strict", "-o", out)).toMatchInlineSnapshot(`
    "2
    Error: The model considers 1 of 2 scored rows of outside.csv impossible: expected a log-density above -Infinity.
    Without --strict these rows are scored."
  `);
  expect(() => readFileSync(out)).toThrow("ENOENT");
  const gaps = write("gaps.csv", "k,x\na,1\nb,\n");
  expect((await pushforward(["score", model, gaps, "--strict", "-o", out])).code).toBe(0);
});
