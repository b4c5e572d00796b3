import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { decodeModel } from "../../src/tables/model/decodeModel.ts";
import { TableModel } from "../../src/tables/model/tableModel.ts";
import { correlated, jsonLines, QUICK, workplace } from "./command.ts";

const { path, write, pushforward, json } = workplace();

const BEYOND_FLOAT32 = 1700000000.123;

/** The table of `correlated` with two constant columns: `t` between its columns, and `k` after them. */
const withConstants = (rows: number) =>
  correlated(rows)
    .trimEnd()
    .split("\n")
    .map((line, i) => line.replace(",", i === 0 ? ",t," : `,${BEYOND_FLOAT32},`) + (i === 0 ? ",k" : ",0.1"))
    .join("\n");

const table = write("constants.csv", withConstants(200));
const plain = write("plain.csv", correlated(200));
const heldOut = (events: Record<string, unknown>[]) => events.at(-1)!.heldOut;

it("learns constant columns of the default model as constants", async () => {
  const [model, without] = [path("default.safetensors"), path("plain-default.safetensors")];
  const small = ["--budget", "small", "--no-kernel", "--epochs", "1"];
  const { code, out, err } = await pushforward(["fit", table, ...small, "-o", model, "--json"]);
  expect(code).toBe(0);
  expect(err).toMatch(/^t +double +constant +0% +1700000000.123$/m);
  const [plainDone] = (await json("fit", plain, ...small, "-o", without)).slice(-1);
  const done = jsonLines(out).at(-1)!;
  expect(done.heldOut).toEqual(plainDone!.heldOut);
  expect(done.columns).toEqual(["a", "t", "b", "k"]);
  const samples = await TableModel.from(await decodeModel(readFileSync(model))).sample(10);
  for (const { t, k } of samples) expect([t, k]).toEqual([BEYOND_FLOAT32, 0.1]);
  const query = `SELECT 0.5 AS a, ${BEYOND_FLOAT32}::DOUBLE + i AS t, 0.2 AS b, 0.1 AS k FROM range(2) AS r(i)`;
  const scored = await pushforward(["score", model, query, "-o", "-"]);
  expect(scored.out.trimEnd().split("\n")[2]).toMatch(/,-Infinity$/);
  expect(scored.err).toContain('Row 2 of the query has a value of "t" that the model considers impossible');
});

it.each([
  ["nsf", QUICK],
  ["cnf", ["--flow", "cnf", "--epochs", "1"]],
])("learns constant columns as constants, which do not change log-densities: %s", async (name, options) => {
  const [model, without] = [path(`${name}.safetensors`), path(`plain-${name}.safetensors`)];
  const pictures = path(`pictures-${name}`);
  const { code, out, err } = await pushforward([
    ...["fit", table, ...options, "-o", model, "--pictures", pictures, "--json"],
  ]);
  expect({ code, err: err.match(/Note: .*/)?.[0] }).toEqual({
    code: 0,
    err: "Note: Some columns are constant: t = 1700000000.123, k = 0.1. Samples of the model have the same values, rows with any other value have probability 0, and log-densities are those of the other columns.",
  });
  const done = jsonLines(out);
  expect(heldOut(done)).toEqual(heldOut(await json("fit", plain, ...options, "-o", without)));
  expect(done.at(-1)).toMatchObject({ columns: ["a", "t", "b", "k"] });
  const { flow, columns } = await decodeModel(readFileSync(model));
  expect(columns).toEqual(["a", "t", "b", "k"]);
  const samples = await flow.sample(10);
  expect([1, 3].map((d) => [...new Set(samples.filter((_, i) => i % 4 === d))])).toEqual([
    [BEYOND_FLOAT32],
    [0.1],
  ]);
});

it("prints a note on one constant column, and scores rows with other values", async () => {
  const model = path("single.safetensors");
  const { err } = await pushforward(["fit", table, "--columns", "a,t", ...QUICK, "-o", model]);
  expect(err.split("\n")[0]).toBe(
    "Note: A column is constant: t = 1700000000.123. Samples of the model have the same value, rows with any other value have probability 0, and log-densities are those of the other columns.",
  );
  expect(err).not.toContain("Values repeat");
  const query = `SELECT 0.5 AS a, ${BEYOND_FLOAT32}::DOUBLE + i AS t FROM range(2) AS r(i)`;
  const mean = await pushforward(["evaluate", model, query]);
  expect(mean.out).toBe("Mean log-density of 2 rows: -Infinity nats\n");
  expect(mean.err).toContain("Row 2 has a very low density (-Infinity nats)");
  expect(await json("evaluate", model, query)).toEqual([
    { rows: 2, meanLogDensity: "-Infinity", standardError: null },
  ]);
  const scored = path("scored.csv");
  await pushforward(["score", model, query, "-o", scored]);
  expect(
    readFileSync(scored, "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => line.split(",")[2]),
  ).toEqual(["log_density", expect.stringMatching(/^-\d+\.\d+$/), "-Infinity"]);
  expect((await pushforward(["inspect", model])).out).toContain("tails -> constant features -> standardize");
});
