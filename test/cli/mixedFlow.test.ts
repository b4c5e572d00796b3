import { beforeAll, expect, it } from "vitest";
import { Random } from "../../src/random/index.ts";
import { linesOf, workplace } from "./command.ts";

const { path, write, pushforward, failure, json } = workplace();
const SHARES = { red: 0.5, green: 0.3, blue: 0.2 };

/** Labels with known shares, a fair coin, and a normal number: the mean log-density is minus the sum of their entropies. */
function draws(rows: number): string {
  const random = new Random(8);
  const uniform = random.split("uniform").uniform(new Float64Array(2 * rows));
  const normal = random.split("normal").normal(new Float64Array(rows));
  const lines = Array.from({ length: rows }, (_, n) => {
    const u = uniform[2 * n];
    const color = u < SHARES.red ? "red" : u < SHARES.red + SHARES.green ? "green" : "blue";
    return `${color},${uniform[2 * n + 1] < 0.5},${normal[n].toFixed(6)}`;
  });
  return ["color,coin,x", ...lines, ""].join("\n");
}

const entropyOfColor = -Object.values(SHARES).reduce((sum, p) => sum + p * Math.log(p), 0);
const ENTROPY = entropyOfColor + Math.log(2) + 0.5 * Math.log(2 * Math.PI * Math.E);

let model: string;
let table: string;

beforeAll(async () => {
  table = write("draws.csv", draws(2000));
  model = path("draws.safetensors");
  const options = ["--flow", "nsf", "--transforms", "2", "--hidden", "32", "--epochs", "25"];
  const { code, out } = await pushforward(["fit", table, ...options, "-o", model]);
  expect(code).toBe(0);
  expect(out).toContain("Log-densities are lower bounds");
}, 60_000);

it("learns labels and booleans by one flow, whose log-density is a lower bound", async () => {
  const [{ meanLogDensity, isBound }] = await json("evaluate", model, table);
  expect(isBound).toBe(true);
  // Rows differ from their distribution by 0.02 nats. The flow must reach the steps at the edges of the cells.
  expect(Number(meanLogDensity)).toBeLessThan(-ENTROPY + 0.06);
  expect(Number(meanLogDensity)).toBeGreaterThan(-ENTROPY - 0.25);
  const { err } = await pushforward(["evaluate", model, table]);
  expect(err).toContain("Log-densities are lower bounds");
  const { out } = await pushforward(["inspect", model]);
  expect(out.split("\n").find((line) => line.startsWith("log-density"))).toMatchInlineSnapshot(
    `"log-density a lower bound of a density for continuous columns, times a probability for all others (dequantization)"`,
  );
});

it("continues from its checkpoint", async () => {
  const output = path("timed.safetensors");
  const limits = ["--epochs", "100000", "--patience", "100000", "--max-minutes", "0.02"];
  const words = ["fit", table, "--flow", "maf", "--hidden", "8", ...limits, "-o", output];
  expect((await pushforward(words)).out).toContain("--resume");
  const [first] = await json(...words, "--resume");
  expect(Number(first!.epoch)).toBeGreaterThan(1);
});

it("compare says which model has lower bounds instead of log-densities", async () => {
  const members = path("members.safetensors");
  const few = write("few.csv", draws(500));
  const words = ["fit", few, "--budget", "small", "--epochs", "1", "--threads", "1", "-o", members];
  expect((await pushforward(words)).code).toBe(0);
  const { out } = await pushforward(["compare", members, model, few]);
  expect(out.split("\n").slice(-2)).toEqual([
    "The numbers of B are lower bounds: its log-densities may be higher.",
    "",
  ]);
});

it("draws labels with their shares", async () => {
  const { out } = await pushforward(["sample", model, "-n", "2000"]);
  const rows = linesOf(out);
  const count = (color: string) => rows.filter((row) => row.startsWith(`${color},`)).length;
  for (const [color, share] of Object.entries(SHARES))
    expect(Math.abs(count(color) / 2000 - share)).toBeLessThan(0.06);
  expect(rows.every((row) => /^(red|green|blue),(true|false),-?[\d.]+$/.test(row))).toBe(true);
});

it("gives probability 0 to a label that training did not see", async () => {
  const other = write("other.csv", "color,coin,x\nred,true,0.5\npink,false,0.25\n");
  const { out, err } = await pushforward(["score", model, other, "-o", "-"]);
  expect(out.trimEnd().split("\n")[2]).toBe("pink,false,0.25,-Infinity");
  expect(err).toContain('a value of "color" that the model considers impossible: pink');
});

it("refuses missing values, conditions on columns, and flows without a bound", async () => {
  const withGaps = write("gaps.csv", draws(300).replace("red", ""));
  const { err } = await pushforward(["fit", withGaps, "--flow", "nsf", "-o", path("m.safetensors")]);
  expect(err.trimEnd().split("\n").slice(-2)).toMatchInlineSnapshot(`
    [
      "Error: A single flow has no probability for missing values: received missing values in color.",
      "The default model learns them. Or leave out these rows or columns.",
    ]
  `);
  expect((await pushforward(["fit", table, "--flow", "cnf", "-o", path("m.safetensors")])).err).toContain(
    "columns that are not numeric",
  );
  expect(await failure("sample", model, "--given", "color=red")).toMatchInlineSnapshot(`
    "2
    Error: The model has no exact distribution of some columns given others: received the distribution dequantized.
    Fit the default model. A single flow has no exact conditional distributions."
  `);
});

it("leaves out identifiers beyond 2^53 that would become equal as numbers", async () => {
  const rows = Array.from({ length: 60 }, (_, i) => `${2n ** 53n + BigInt(i)},${Math.sin(i)}`);
  const keys = write("keys.csv", ["key,x", ...rows, ""].join("\n"));
  const fit = ["fit", keys, "--epochs", "1", "-o", path("keys.safetensors")];
  const { code, out, err } = await pushforward([...fit, "--flow", "nsf"]);
  expect(code).toBe(0);
  expect(out).toMatch(/^Learned x in /);
  expect(err).toMatch(/^key +bigint +left out .* integers beyond 2\^53, read as text because/m);
  expect(await failure(...fit, "--flow", "cnf", "--overwrite")).toMatchInlineSnapshot(`
    "2
    Error: Column "key" of keys.csv has integers beyond 2^53: expected integers up to 2^53, or larger ones that stay different when they are rounded to 64-bit floating-point numbers, received different integers that become equal when they are rounded.
    Leave the column out if it identifies rows, or round it in a query: "SELECT * REPLACE (CAST(key AS DOUBLE) AS key) FROM 'keys.csv'""
  `);
});
