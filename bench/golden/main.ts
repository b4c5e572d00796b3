/**
 * Fits models to ten tables in five ways through the command line, and compares their log-densities, samples and reports with those in
 * `bench/golden/golden.json`.
 *
 *     npm run bench:golden -- --data DIRECTORY [--only TABLE] [--write]
 *
 * DIRECTORY has the data sets that `bench/README.md` describes. `--write` replaces the file in place of the comparison. A change that keeps
 * behaviour keeps every number: log-densities to 1e-12, samples and reports exactly.
 */
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { parseArguments } from "../../src/cli/arguments.ts";
import { fitModel } from "../../src/cli/fitModel.ts";
import { options as fitOptions, positionals } from "../../src/cli/fitOptions.ts";
import { run } from "../../src/cli/run.ts";

const { values: flags } = parseArgs({
  options: { data: { type: "string" }, only: { type: "string" }, write: { type: "boolean" } },
});
const data = resolve(flags.data ?? "");
const examples = fileURLToPath(new URL("../../examples/data/", import.meta.url));
const goldenFile = fileURLToPath(new URL("golden.json", import.meta.url));

interface GoldenTable {
  /** The file, or a query. */
  readonly source: string;
  /** The columns on which the others are conditioned in the case "given". */
  readonly given: string;
  readonly columns?: string;
}

const query = (file: string, rows: number) => `SELECT * FROM '${join(data, file)}' LIMIT ${rows}`;
const TABLES: Readonly<Record<string, GoldenTable>> = {
  penguins: { source: join(examples, "penguins.csv"), given: "species,body_mass_g" },
  earthquakes: { source: join(examples, "earthquakes.csv"), given: "depth_km" },
  digits: {
    source: `SELECT column10 AS a, column11 AS b, column20 AS c, column21 AS d, column28 AS e, column36 AS f FROM read_csv('${join(examples, "digits.csv.gz")}', header = false)`,
    given: "a",
  },
  airports: { source: query("earth/us_airports.csv", 1500), given: "lon" },
  yacht: { source: join(data, "uci/yacht.csv"), given: "froude" },
  banknote: { source: join(data, "uci/banknote.csv"), given: "class" },
  wine: { source: join(data, "adbench/45_wine.csv.gz"), given: "x0", columns: "x0,x1,x2,x3,x4,x5,x6" },
  german: { source: join(data, "mixed/german-credit.csv.gz"), given: "age,housing" },
  beijing: { source: query("mixed/beijing-pm25.csv.gz", 2000), given: "cbwd,TEMP" },
  adult: { source: query("mixed/adult-train.csv.gz", 2000), given: "sex" },
};

const WAYS = {
  default: [],
  nsf: ["--flow", "nsf", "--transforms", "2", "--hidden", "32"],
  given: ["--given"],
  streamed: [],
  contaminated: ["--contamination", "0.05"],
} as const;
type Way = keyof typeof WAYS;

/** What a model says. */
interface Golden {
  /** The last event of `fit --json`, without times. */
  readonly done: unknown;
  readonly logDensitySum: number;
  readonly logDensities: readonly (number | null)[];
  readonly samples: readonly string[];
  readonly sampleDigest: string;
  readonly report?: unknown;
  readonly anomalies?: unknown;
}

/** Runs a command line and returns its standard output. */
async function pushforward(words: readonly string[]): Promise<string> {
  const { io, texts } = collectingIo();
  const code = await run(words, io);
  if (code !== 0) throw new Error(`${words.join(" ")}\n${texts.err}`);
  return texts.out;
}

function collectingIo() {
  const texts = { out: "", err: "" };
  const into = (name: "out" | "err") =>
    new Writable({
      write(chunk, _, done) {
        texts[name] += chunk;
        done();
      },
    });
  const interrupted = new AbortController().signal;
  return { io: { stdout: into("out"), stderr: into("err"), env: {}, interrupted }, texts };
}

async function fit(words: readonly string[], way: Way): Promise<string> {
  if (way !== "streamed") return pushforward(["fit", ...words]);
  const { io, texts } = collectingIo();
  const values = parseArguments({ name: "fit", positionals, options: fitOptions }, words);
  await fitModel(values, io, words, { maxNumbersInMemory: 0 });
  return texts.out;
}

const TIMES = /milliseconds|seconds|minutes|output|pictures|elapsed/i;
const withoutTimes = (value: unknown): unknown =>
  Array.isArray(value)
    ? value.map(withoutTimes)
    : value !== null && typeof value === "object"
      ? Object.fromEntries(
          Object.entries(value)
            .filter(([key]) => !TIMES.test(key))
            .map(([key, inner]) => [key, withoutTimes(inner)]),
        )
      : value;

const jsonLines = (text: string) =>
  text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));

async function goldenOf(name: string, way: Way, directory: string): Promise<Golden> {
  const { source, given, columns } = TABLES[name]!;
  const model = join(directory, "model.safetensors");
  const flags = way === "given" ? [...WAYS.given, given] : WAYS[way];
  const chosen = columns === undefined ? [] : ["--columns", columns];
  const common = ["--threads", "1"];
  const events = await fit(
    [source, ...chosen, ...flags, ...common, "--epochs", "6", "-o", model, "--json"],
    way,
  );
  const scored = join(directory, "scored.jsonl");
  await pushforward(["score", model, source, "-o", scored, ...common]);
  const rows = jsonLines(readFileSync(scored, "utf8")) as { log_density: number | null }[];
  const logDensities = rows.map(({ log_density }) => log_density);
  const context = way === "given" ? join(directory, "context.csv") : undefined;
  if (context !== undefined) {
    const from = source.startsWith("SELECT") ? source : `SELECT * FROM '${source}'`;
    const { DuckDBInstance } = await import("@duckdb/node-api");
    const connection = await (await DuckDBInstance.create()).connect();
    await connection.run(`COPY (SELECT ${given} FROM (${from}) LIMIT 5) TO '${context}' (HEADER)`);
  }
  const samples = await pushforward([
    ...["sample", model, "-n", "60", "--seed", "3", ...common],
    ...(context === undefined ? [] : ["--given", context]),
  ]);
  const attempt = async (words: readonly string[]) => {
    const { io, texts } = collectingIo();
    const code = await run(words, io);
    return code === 0 ? withoutTimes(JSON.parse(texts.out)) : texts.err.replaceAll(directory, "");
  };
  return {
    done: withoutTimes(jsonLines(events).at(-1)),
    logDensitySum: logDensities.reduce<number>((sum, value) => sum + (value ?? 0), 0),
    logDensities: logDensities.slice(0, 20),
    samples: samples.split("\n").slice(0, 6),
    sampleDigest: createHash("sha256").update(samples).digest("hex"),
    report: compact(await attempt(["report", model, source, "--rows", "200", ...common, "--json"])),
    anomalies: compact(await attempt(["anomalies", model, source, "-n", "3", ...common, "--json"])),
  };
}

/** Longer lists and texts of reports are stored as a digest. */
const MAX_LENGTH = 8;
const digest = (value: unknown) =>
  createHash("sha256").update(JSON.stringify(value)).digest("hex").slice(0, 16);

/** A report with digests in place of its long lists. */
function compact(value: unknown): unknown {
  if (Array.isArray(value)) return value.length > MAX_LENGTH ? digest(value) : value.map(compact);
  if (value === null || typeof value !== "object") return value;
  const entries = Object.entries(value);
  return entries.length > 3 * MAX_LENGTH
    ? digest(value)
    : Object.fromEntries(entries.map(([key, inner]) => [key, compact(inner)]));
}

/** The paths where two results differ, with both values. */
function differences(expected: unknown, received: unknown, path = ""): string[] {
  if (typeof expected === "number" && typeof received === "number") {
    const isEqual =
      expected === received || Math.abs(expected - received) <= 1e-12 * Math.max(1, Math.abs(expected));
    return isEqual ? [] : [`${path}: ${expected} -> ${received}`];
  }
  if (typeof expected !== "object" || typeof received !== "object" || !expected || !received) {
    return Object.is(expected, received) ? [] : [`${path}: ${expected} -> ${received}`];
  }
  const keys = new Set([...Object.keys(expected), ...Object.keys(received)]);
  return [...keys].flatMap((key) =>
    differences(
      (expected as Record<string, unknown>)[key],
      (received as Record<string, unknown>)[key],
      `${path}/${key}`,
    ),
  );
}

const stored: Record<string, unknown> = (() => {
  try {
    return JSON.parse(readFileSync(goldenFile, "utf8"));
  } catch {
    return {};
  }
})();
let failed = 0;
let equal = 0;
for (const name of Object.keys(TABLES)) {
  for (const way of Object.keys(WAYS) as Way[]) {
    const key = `${name}, ${way}`;
    if (flags.only !== undefined && !key.includes(flags.only)) continue;
    const directory = mkdtempSync(join(tmpdir(), "pushforward-golden-"));
    const start = performance.now();
    const result: unknown = await goldenOf(name, way, directory)
      .then((golden) =>
        JSON.parse(
          JSON.stringify(golden).replaceAll(directory, "").replaceAll(data, "").replaceAll(examples, ""),
        ),
      )
      .catch((error: Error) => ({
        error: error.message.replaceAll(directory, "").replaceAll(data, "").replaceAll(examples, ""),
      }));
    rmSync(directory, { recursive: true });
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    if (flags.write) {
      stored[key] = result;
      const lines = Object.entries(stored).map(
        ([key, value]) => `${JSON.stringify(key)}: ${JSON.stringify(value)}`,
      );
      writeFileSync(goldenFile, `{\n${lines.join(",\n")}\n}\n`);
      console.log(`${key}: ${seconds} s${(result as { error?: string }).error ? " ERROR" : ""}`);
      continue;
    }
    const found = differences(stored[key], result);
    if (found.length > 0) failed++;
    else equal++;
    console.log(`${key}: ${found.length === 0 ? "equal" : `${found.length} differences`} (${seconds} s)`);
    for (const line of found.slice(0, 8)) console.log(`  ${line}`);
  }
}
if (!flags.write) {
  console.log(`${equal} equal, ${failed} different`);
  process.exitCode = failed > 0 ? 1 : 0;
}
