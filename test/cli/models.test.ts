import { readFileSync } from "node:fs";
import { beforeAll, expect, it } from "vitest";
import { openTable, readRows, writeRows } from "../../src/tables/io/index.ts";
import { decodeModel } from "../../src/tables/model/index.ts";
import { EARTHQUAKES, quickModel, workplace } from "./command.ts";

const here = workplace();
const { path, write, list, pushforward, failure } = here;
let model: string;
let conditional: string;

beforeAll(async () => {
  model = await quickModel(here, EARTHQUAKES, "model");
  conditional = await quickModel(
    here,
    EARTHQUAKES,
    "conditional",
    "--columns",
    "mag,lat",
    "--given",
    "depth_km,lon",
  );
});

async function numbers(source: string, names: string[]): Promise<Float64Array> {
  const table = await openTable(source);
  const { values } = await readRows(table, names);
  await table.close();
  return values;
}

async function evaluated(...words: string[]) {
  const { code, out, err } = await pushforward(["evaluate", ...words, "--json"]);
  expect({ code, err }).toEqual({ code: 0, err: "" });
  return JSON.parse(out) as { rows: number; meanLogDensity: number; standardError: number };
}

it("evaluates a table: the mean of the flow's log-densities and its standard error", async () => {
  const { flow, columns } = await decodeModel(readFileSync(model));
  const scores = await flow.logProb(await numbers(EARTHQUAKES, [...columns]));
  const mean = scores.reduce((a, b) => a + b) / scores.length;
  const variance = scores.reduce((sum, score) => sum + (score - mean) ** 2, 0) / (scores.length - 1);
  const result = await evaluated(model, EARTHQUAKES);
  expect(Object.keys(result)).toEqual(["rows", "meanLogDensity", "standardError"]);
  expect(result.rows).toBe(1707);
  expect(result.meanLogDensity).toBeCloseTo(mean, 8);
  expect(result.standardError).toBeCloseTo(Math.sqrt(variance / scores.length), 8);

  const { out } = await pushforward(["evaluate", model, EARTHQUAKES]);
  const expected = `Mean log-density of 1,707 rows: ${mean.toFixed(3)} ± ${result.standardError.toFixed(3)} nats\n`;
  expect(out).toBe(expected);
});

it("matches columns by name, in any order and among others", async () => {
  const shuffled = `SELECT 'x' AS place, mag, 7 AS other, lat, depth_km, lon FROM '${EARTHQUAKES}'`;
  expect(await evaluated(model, shuffled)).toEqual(await evaluated(model, EARTHQUAKES));
  expect(await evaluated(conditional, shuffled)).toEqual(await evaluated(conditional, EARTHQUAKES));
});

it("computes the same on any number of threads", async () => {
  const many = `SELECT * FROM '${EARTHQUAKES}', range(30)`;
  const [one, three] = [
    await evaluated(model, many, "--threads", "1"),
    await evaluated(model, many, "--threads", "3"),
  ];
  expect(one.rows).toBe(30 * 1707);
  expect(three.rows).toBe(one.rows);
  expect(three.meanLogDensity).toBeCloseTo(one.meanLogDensity, 6);
});

it("evaluates a single row", async () => {
  const one = write("one.csv", "lon,lat,depth_km,mag\n-118,34,5,2\n");
  expect(await evaluated(model, one)).toMatchObject({ rows: 1, standardError: null });
  const { out } = await pushforward(["evaluate", model, one]);
  expect(out).toMatch(/^Mean log-density of 1 rows?: -\d+\.\d{3} nats\n$/);
});

it("gives values of 1e30 and 1e300 a very low density, with a warning", async () => {
  const far = write("far.csv", "lon,lat,depth_km,mag\n-118,34,5,2\n1e30,34,5,2\n-118,34,-1e300,1e300\n");
  const { code, out, err } = await pushforward(["evaluate", model, far, "--json"]);
  expect(code).toBe(0);
  expect(JSON.parse(out).meanLogDensity).toBeLessThan(-1000);
  expect(err.replace(/-\d+\.\d+/, "-X")).toMatchInlineSnapshot(`
    "Warning: 2 of 3 rows have a very low density (the first is row 2, -X nats): their values are far from all training rows.
    "
  `);
});

it("scores a table in every format; the log-density is missing if a value is missing", async () => {
  const holes = write(
    "holes.csv",
    "place,mag,lon,lat,depth_km\nA,2.0,-118,34,5\nB,,-118,34,5\nC,3.10,-120,,7\nD,1,-117,33,6\n",
  );
  const { code, err } = await pushforward(["score", model, holes, "-o", path("scored.csv")]);
  expect(code).toBe(0);
  expect(err).toMatchInlineSnapshot(`
    "Warning: 2 of 4 rows have no log-density because a value is missing.
    Wrote 4 rows with log_density to scored.csv
    "
  `);
  const lines = readFileSync(path("scored.csv"), "utf8").trimEnd().split("\n");
  expect(lines.map((line) => line.replace(/-?\d+\.\d{4,}$/, "X"))).toMatchInlineSnapshot(`
    [
      "place,mag,lon,lat,depth_km,log_density",
      "A,2.0,-118,34,5,X",
      "B,,-118,34,5,",
      "C,3.10,-120,,7,",
      "D,1,-117,33,6,X",
    ]
  `);
  const [scores] = [await numbers(`SELECT log_density FROM '${path("scored.csv")}'`, ["log_density"])];
  for (const name of ["scored.tsv", "scored.json", "scored.jsonl", "scored.parquet", "scored.csv.gz"]) {
    expect((await pushforward(["score", model, holes, "-o", path(name)])).code).toBe(0);
    expect(await numbers(path(name), ["log_density"])).toEqual(scores);
  }
});

it("scores a Parquet file as it scores a CSV file", async () => {
  const columns = ["lon", "lat", "depth_km", "mag"];
  await writeRows(columns, [await numbers(EARTHQUAKES, columns)], path("quakes.parquet"));
  await pushforward(["score", model, path("quakes.parquet"), "-o", path("a.parquet")]);
  await pushforward(["score", model, EARTHQUAKES, "-o", path("b.csv")]);
  const fromParquet = await numbers(path("a.parquet"), [...columns, "log_density"]);
  expect(fromParquet).toEqual(await numbers(path("b.csv"), [...columns, "log_density"]));
  expect(fromParquet.length).toBe(5 * 1707);
});

it("scores to standard output, and prints messages to standard error", async () => {
  const holes = write("out.csv", "zip,mag,lon,lat,depth_km\n007,2.0,-118,34,5\n010,,-118,34,5\n");
  await pushforward(["score", model, holes, "-o", path("out.scored.csv")]);
  for (const output of ["-", "/dev/stdout", "/dev/fd/1"]) {
    const { code, out, err } = await pushforward(["score", model, holes, "-o", output]);
    expect({ code, err }).toEqual({
      code: 0,
      err: "Warning: 1 of 2 rows has no log-density because a value is missing.\n",
    });
    expect(out).toBe(readFileSync(path("out.scored.csv"), "utf8"));
  }
  expect(await pushforward(["score", model, holes, "-o", "/dev/null"])).toMatchObject({ code: 0, out: "" });
});

it("copies columns that the model does not use, and writes those that it uses as numbers", async () => {
  const table = write("zips.csv", "zip,id,mag,lon,lat,depth_km\n00123,12345678901234567890,2.0,-118,34,5\n");
  await pushforward(["score", model, table, "-o", path("zips.jsonl")]);
  expect(JSON.parse(readFileSync(path("zips.jsonl"), "utf8"))).toEqual({
    zip: "00123",
    id: "12345678901234567890",
    mag: 2,
    lon: -118,
    lat: 34,
    depth_km: 5,
    log_density: expect.any(Number),
  });
});

it("refuses an output that cannot be written, before it reads the table", async () => {
  const words = ["score", model, path("no-table.csv"), "-o", path("none/scored.csv")];
  expect(await failure(...words)).toMatchInlineSnapshot(`
    "2
    Error: Cannot write none/scored.csv: there is no directory none.
    Create it first: mkdir -p none"
  `);
});

it("shows a progress bar on a terminal", async () => {
  const words = ["score", model, EARTHQUAKES, "-o", path("live.csv")];
  const { err } = await pushforward(words, { columns: 80, env: { NO_COLOR: "1" } });
  expect(err).toContain(`\r\u001B[K${"━".repeat(24)} 1,707 of 1,707 rows`);
  expect(err.endsWith("\r\u001B[KWrote 1,707 rows with log_density to live.csv\n")).toBe(true);
});

it("draws rows as CSV on standard output", async () => {
  const { code, out, err } = await pushforward(["sample", model, "-n", "3"]);
  expect({ code, err }).toEqual({ code: 0, err: "" });
  expect(out.split("\n").map((line) => line.split(",").length)).toEqual([4, 4, 4, 4, 1]);
  expect(out.split("\n")[0]).toBe("lon,lat,depth_km,mag");
  expect((await pushforward(["sample", model, "-n", "3", "-o", "-"])).out).toBe(out);
});

it("draws the rows that flow.sample draws, the same for any number of rows", async () => {
  const { flow } = await decodeModel(readFileSync(model));
  await pushforward(["sample", model, "-n", "10000", "--seed", "5", "-o", path("many.parquet")]);
  const many = await numbers(path("many.parquet"), ["lon", "lat", "depth_km", "mag"]);
  expect(many).toEqual(await flow.sample(10_000, { seed: 5 }));
  await pushforward(["sample", model, "-n", "9", "--seed", "5", "-o", path("few.csv")]);
  expect(await numbers(path("few.csv"), ["lon", "lat", "depth_km", "mag"])).toEqual(many.slice(0, 36));
  await pushforward(["sample", model, "-n", "9", "--seed", "6", "-o", path("other.csv")]);
  expect(await numbers(path("other.csv"), ["lon"])).not.toEqual(await numbers(path("few.csv"), ["lon"]));
  expect((await pushforward(["sample", model, "-o", path("default.csv")])).err).toBe(
    "Wrote 1,000 rows to default.csv\n",
  );
});

it("draws rows for given values", async () => {
  const given = ["--given", "lon=-118,depth_km=5.5"];
  const { out } = await pushforward(["sample", conditional, "-n", "2", ...given]);
  const [header, first] = out.split("\n");
  expect(header).toBe("mag,lat,depth_km,lon");
  expect(first).toMatch(/,5\.5,-118$/);
  const { flow } = await decodeModel(readFileSync(conditional));
  const [mag, lat] = await flow.sample(2, { context: [5.5, -118] });
  expect(first).toBe(`${mag},${lat},5.5,-118`);
});

it("draws rows for each row of a table", async () => {
  const table = write("given.csv", "lon,depth_km,x\n-118,5,1\n,7,2\n-150,9,3\n");
  const { out, err } = await pushforward(["sample", conditional, "--given", table, "-n", "2"]);
  expect(err).toBe("Warning: 1 of 3 rows in --given is left out because a value is missing.\n");
  const rows = out.trimEnd().split("\n").slice(1);
  expect(rows.map((row) => row.split(",").slice(2).join())).toEqual(["5,-118", "5,-118", "9,-150", "9,-150"]);
  expect(new Set(rows.map((row) => row.split(",")[0])).size).toBe(4);
  const query = `FROM '${EARTHQUAKES}'`;
  const all = await pushforward(["sample", conditional, "--given", query, "-o", path("all.csv")]);
  expect(all.err).toBe("Wrote 1,707 rows to all.csv\n");
  expect(await numbers(path("all.csv"), ["depth_km", "lon"])).toEqual(
    await numbers(EARTHQUAKES, ["depth_km", "lon"]),
  );
  expect(await evaluated(conditional, path("all.csv"))).toMatchObject({ rows: 1707 });
});

it("refuses values of --given that do not fit the model", async () => {
  const given = (...words: string[]) => failure("sample", conditional, ...words);
  expect(await failure("sample", model, "--given", "lon=1")).toMatchInlineSnapshot(`
    "2
    Error: The model model.safetensors is not conditional.
    Leave --given out, or fit a conditional model: pushforward fit DATA --given COLUMN"
  `);
  expect(await given()).toMatchInlineSnapshot(`
    "2
    Error: The model conditional.safetensors is conditional on depth_km, lon.
    Give values, --given depth_km=1,lon=1, or a table with these columns."
  `);
  expect(await given("--given", "lon=1")).toMatchInlineSnapshot(`
    "2
    Error: --given has no value of depth_km: expected values of depth_km, lon.
    Write --given depth_km=1,lon=1"
  `);
  expect(await given("--given", "lon=1,depth=2")).toMatchInlineSnapshot(`
    "2
    Error: The model is not conditional on "depth": expected values of depth_km, lon.
    Write --given depth_km=1,lon=1"
  `);
  expect(await given("--given", "lon=1,depth_km=deep")).toMatchInlineSnapshot(`
    "2
    Error: --given has an invalid value of depth_km: expected a finite number, received deep.
    For example: --given depth_km=1"
  `);
  expect(await given("--given", path("no.csv"))).toMatchInlineSnapshot(`
    "2
    Error: There is no file no.csv.
    Did you mean b.csv?"
  `);
  expect(await given("--given", write("lon.csv", "lon\n1\n"))).toMatchInlineSnapshot(`
    "2
    Error: lon.csv has no column "depth_km": expected the columns of the model, "depth_km", "lon", received "lon".
    Add the missing columns."
  `);
  expect(
    await given("--given", write("none.csv", "lon,depth_km\n1,\n"), "-o", path("none-out.csv")),
  ).toMatchInlineSnapshot(`
    "2
    Error: none.csv has a column that is not numeric: expected numbers in the columns of the model, received "depth_km" (only missing values).
    Give numbers in these columns."
  `);
  expect(list()).not.toContain("none-out.csv");
});

it("shows what is in a model", async () => {
  const { out } = await pushforward(["inspect", conditional]);
  expect(
    out.replace(/(validation +)-\d+\.\d{3}/, "$1-X.XXX").replace(/(parameters +)\d+/, "$1N"),
  ).toMatchInlineSnapshot(`
    "model       conditional.safetensors
    columns     mag, lat
    given       depth_km (-2.79 to 573.76), lon (-179.6445 to 178.8275)
    flow        standard normal -> autoregressive (rational quadratic spline) -> standardize context -> tails -> standardize
    parameters  N
    trained on  1,536 rows, seed 0
    epochs      2, the best is epoch 2
    validation  -X.XXX nats, the mean log-density of the validation rows
    "
  `);
  const described = JSON.parse((await pushforward(["inspect", model, "--json"])).out);
  expect(Object.keys(described)).toEqual(["columns", "given", "parameters", "training", "flow"]);
  expect(described.columns).toEqual(["lon", "lat", "depth_km", "mag"]);
});

it("ends after Ctrl-C without writing a file", async () => {
  const interrupted = AbortSignal.abort();
  const before = list();
  const scored = await pushforward(["score", model, EARTHQUAKES, "-o", path("stopped.csv")], { interrupted });
  expect(scored).toMatchObject({ code: 130, out: "" });
  expect(scored.err).toMatchInlineSnapshot(`
    "Stopped while reading earthquakes.csv.
    Run the command again.
    "
  `);
  expect(await pushforward(["sample", model, "-o", path("stopped.csv")], { interrupted })).toMatchObject({
    code: 130,
    err: expect.stringContaining("Stopped while drawing rows from the model"),
  });
  expect(list()).toEqual(before);
});
