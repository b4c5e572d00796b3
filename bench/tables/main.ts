/**
 * Measures the default model of tables, and writes the results to RESULTS.md:
 *
 *     npm run bench:tables -- --data DIRECTORY [--only adult,iris,penguins]
 *
 * DIRECTORY contains the data that bench/README.md describes. A measured row replaces the row of the same table, in three sections:
 *
 * - Mixed tables: `pushforward fit` and `sample`, and two_sample.py
 * - Generated rows: generation.py, and the means of all its rows
 * - Against simpler densities: baselines.ts
 *
 * Each row is written when it is measured, so an interrupted run can continue with `--only`. All rows take about an hour on two cores. Needs the
 * Python packages of two_sample.py and generation.py; the environment variable PYTHON names the interpreter, by default python3.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { gunzipSync } from "node:zlib";
import { mean } from "../papers/statistics.ts";
import { cellsOf, rowsOfSection, withRow } from "./resultRows.ts";

const MIXED = "Mixed tables";
const GENERATED = "Generated rows";
const SIMPLER = "Against simpler densities";
const WITHOUT_TIME_STAMPS = "beijing without time stamps";
/** The file of each mixed table. */
const FILES: Readonly<Record<string, string>> = {
  adult: "mixed/adult-train.csv.gz",
  beijing: "mixed/beijing-pm25.csv.gz",
  [WITHOUT_TIME_STAMPS]: "mixed/beijing-pm25.csv.gz",
  "german credit": "mixed/german-credit.csv.gz",
  "horse colic": "mixed/horse-colic.csv.gz",
  protein: "uci/protein-tertiary-structure.csv.gz",
};
const MEAN = "mean";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const PAGE = here("RESULTS.md");
const { data, only } = parseArgs({ options: { data: { type: "string" }, only: { type: "string" } } }).values;
if (!data)
  throw new Error(
    "--data DIRECTORY is required: the directory that contains uci/, mixed/, earth/ and adbench/",
  );
const chosen = only?.split(",");
const known = [MIXED, GENERATED, SIMPLER].flatMap(tablesOf);
const unknown = chosen?.filter((name) => !known.includes(name)) ?? [];
if (unknown.length > 0) throw new Error(`no table ${unknown.join(", ")}; there are ${known.join(", ")}`);

for (const name of selected(MIXED)) write(MIXED, measureMixed(name));
for (const name of selected(GENERATED)) {
  write(GENERATED, cellsOf(python("generation.py", "--data", data, "--only", name)));
  write(GENERATED, meansOfGenerated());
}
for (const name of selected(SIMPLER)) write(SIMPLER, cellsOf(tsx(here("baselines.ts"), fileOf(name))));

/** The names of the tables in a section of the page. */
function tablesOf(section: string): string[] {
  return rowsOfSection(readFileSync(PAGE, "utf8"), section)
    .map(([name]) => name)
    .filter((name) => name !== MEAN);
}

function selected(section: string): string[] {
  return tablesOf(section).filter((name) => !chosen || chosen.includes(name));
}

function write(section: string, cells: readonly string[]): void {
  console.log(`${section}: ${cells.join(" | ")}`);
  writeFileSync(PAGE, withRow(readFileSync(PAGE, "utf8"), section, cells));
  // A new row can change the widths of all cells.
  execFileSync("npx", ["biome", "format", "--write", PAGE], { stdio: ["ignore", "ignore", "inherit"] });
}

/** Fits the default model to a mixed table, and compares as many generated rows with all rows of the table. */
function measureMixed(name: string): string[] {
  const directory = mkdtempSync(join(tmpdir(), "pushforward-tables-"));
  try {
    const [table, model, generated] = ["table.csv", "model.safetensors", "generated.csv"].map((file) =>
      join(directory, file),
    ) as [string, string, string];
    const original = gunzipSync(readFileSync(join(data!, FILES[name]!))).toString();
    const text = name === WITHOUT_TIME_STAMPS ? withoutTimeStamps(original) : original;
    writeFileSync(table, text);
    const [header, ...lines] = text.trimEnd().split("\n");
    const start = performance.now();
    const events = pushforward("fit", table, "-o", model, "--json").trimEnd().split("\n");
    const seconds = (performance.now() - start) / 1000;
    const { heldOut } = JSON.parse(events.at(-1)!);
    pushforward("sample", model, "-n", String(lines.length), "-o", generated);
    const score = Number(python("two_sample.py", table, generated));
    return [
      name,
      String(lines.length),
      String(header!.split(",").length),
      heldOut.independent.toFixed(3),
      `${heldOut.meanLogDensity.toFixed(3)} ± ${heldOut.standardError.toFixed(3)}`,
      score.toFixed(3),
      seconds.toFixed(0),
    ];
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** The table of beijing with columns of the year, month, day and hour in place of its time stamps, which are whole hours. */
function withoutTimeStamps(text: string): string {
  return text
    .replace("timestamp", "year,month,day,hour")
    .replace(/^(\d{4})-(\d\d)-(\d\d) (\d\d):00:00/gm, (_, ...parts: string[]) =>
      parts.slice(0, 4).map(Number).join(),
    );
}

/** The row of the means of all tables, ours and those of Forest-Flow. */
function meansOfGenerated(): string[] {
  const rows = rowsOfSection(readFileSync(PAGE, "utf8"), GENERATED).filter(([name]) => name !== MEAN);
  const means = [2, 3, 4, 5].map((column) => {
    const pairs = rows.map((cells) => cells[column]!.split("/").map(Number));
    return [0, 1].map((i) => mean(pairs.map((pair) => pair[i]!)).toFixed(3)).join(" / ");
  });
  return [MEAN, "", ...means, mean(rows.map((cells) => Number(cells[6]))).toFixed(0)];
}

/** The file of a table of the section of simpler densities, which has the name of its file. */
function fileOf(name: string): string {
  const candidates = [
    here(`../../examples/data/${name}.csv`),
    ...["uci", "earth", "mixed", "adbench"].flatMap((folder) =>
      [".csv", ".csv.gz"].map((ending) => join(data!, folder, name + ending)),
    ),
  ];
  const file = candidates.find(existsSync);
  if (!file) throw new Error(`no file of the table ${name}: expected one of ${candidates.join(", ")}`);
  return file;
}

/** The standard output of a program. */
function output(program: string, words: readonly string[]): string {
  return execFileSync(program, words, {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
    maxBuffer: 2 ** 28,
  });
}
function tsx(...words: readonly string[]): string {
  return output(process.execPath, ["--import", "tsx", ...words]);
}
function pushforward(...words: readonly string[]): string {
  return tsx(here("../../src/cli/main.ts"), ...words);
}
function python(script: string, ...words: readonly string[]): string {
  return output(process.env.PYTHON ?? "python3", [here(script), ...words]);
}
