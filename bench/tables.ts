import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { columnSummary, valuesRepeat } from "../src/tables/notes/index.ts";

/** The tables that the defaults are compared on. */
export const TABLES = [
  "yacht",
  "yacht_dq",
  "energy_dq",
  "concrete_dq",
  "banknote",
  "usgs_week",
  "abalone",
  "thyroid",
  "wine_white",
  "quakes",
  "protein",
];

/** A table that is split by `splitByDistinctRows` and z-scored by its training rows. */
export interface Table {
  readonly name: string;
  readonly features: number;
  /** [N, features], as `validation` and `test`. */
  readonly train: Float64Array;
  readonly validation: Float64Array;
  readonly test: Float64Array;
  /** Names of the columns that were dequantized by uniform noise. */
  readonly dequantized: readonly string[];
  /** Names of the columns whose values repeat after dequantization, by `valuesRepeat`. */
  readonly repeating: readonly string[];
  /** SHA-256 of the values of the three parts: results with equal digests come from equal rows. */
  readonly digest: string;
}

/** In a table whose name ends in `_dq`, columns with fewer distinct values than this are dequantized. */
const MIN_VALUES_WITHOUT_NOISE = 50;

const FILES: Record<string, { file: string; drop?: string[]; normalsOnly?: boolean }> = {
  banknote: { file: "uci/banknote.csv", drop: ["class"] },
  energy: { file: "uci/energy.csv", drop: ["X4"] },
  concrete: { file: "uci/concrete.csv" },
  abalone: { file: "uci/abalone.csv", drop: ["sex"] },
  wine_white: { file: "uci/winequality-white.csv", drop: ["quality"] },
  quakes: { file: "earth/quakes_all.csv" },
  protein: { file: "uci/protein-tertiary-structure.csv.gz" },
  yacht: { file: "uci/yacht.csv" },
  usgs_week: { file: "earth/usgs_week.csv" },
  thyroid: { file: "adbench/38_thyroid.csv.gz", drop: ["label"], normalsOnly: true },
  shuttle: { file: "adbench/32_shuttle.csv.gz", drop: ["label"], normalsOnly: true },
  breastw: { file: "adbench/4_breastw.csv.gz", drop: ["label"], normalsOnly: true },
};

/**
 * Loads and splits a table. If `name` ends in `_dq`, columns with fewer than 50 distinct values get uniform noise as wide as
 * their smallest gap, as in the published results for these tables.
 */
export function loadTable(name: string, dataDirectory: string): Table {
  const noisy = name.endsWith("_dq");
  const source = FILES[noisy ? name.slice(0, -3) : name];
  const bytes = readFileSync(join(dataDirectory, source.file));
  const text = (source.file.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString("utf8");
  const [header, ...lines] = text
    .trim()
    .split(/\r?\n/)
    .map((line) => line.split(","));
  const label = header.findIndex((h) => h.replace(/"/g, "") === "label");
  const keptColumns = header.flatMap((h, i) => (source.drop?.includes(h.replace(/"/g, "")) ? [] : [i]));
  const rows = lines
    .filter((line) => !source.normalsOnly || Number(line[label]) === 0)
    .map((line) => keptColumns.map((i) => Number(line[i])));
  const features = keptColumns.length;
  // The split precedes the noise, which would make equal rows differ.
  const split = splitByDistinctRows(rows);
  const distinct = keptColumns.map((_, c) => [...new Set(rows.map((row) => row[c]))].sort((a, b) => a - b));
  const fewValued = distinct.flatMap((values, c) => (values.length < MIN_VALUES_WITHOUT_NOISE ? [c] : []));
  if (noisy) {
    const random = mulberry32(12345);
    const gaps = distinct.map((values) => Math.min(...values.slice(1).map((v, i) => v - values[i])));
    for (const row of rows) for (const c of fewValued) row[c] += random() * gaps[c];
  }
  const columns = keptColumns.map((i) => header[i]);
  const summaries = columnSummary({ columns, rows: rows.length, values: rows.flat() });
  const { train } = split;
  const mean = keptColumns.map((_, c) => train.reduce((sum, row) => sum + row[c], 0) / train.length);
  const deviation = keptColumns.map((_, c) =>
    Math.sqrt(train.reduce((sum, row) => sum + (row[c] - mean[c]) ** 2, 0) / train.length),
  );
  const zScore = (set: number[][]) =>
    Float64Array.from(set.flatMap((row) => row.map((x, c) => (x - mean[c]) / deviation[c])));
  const arrays = {
    train: zScore(train),
    validation: zScore(split.validation),
    test: zScore(split.test),
  };
  const hash = createHash("sha256");
  for (const values of Object.values(arrays)) hash.update(values);
  return {
    name,
    features,
    ...arrays,
    dequantized: noisy ? fewValued.map((c) => columns[c]) : [],
    repeating: summaries
      .filter((summary) => valuesRepeat(summary, rows.length))
      .map((summary) => summary.name),
    digest: hash.digest("hex"),
  };
}

/**
 * Splits rows into 80% training, 10% validation and 10% test rows. Of every ten distinct rows in the order of their first
 * appearance, the first is a test row, the second a validation row, and the others are training rows. Copies of a row are
 * in the same part, so that no test row equals a training row.
 */
export function splitByDistinctRows(
  rows: readonly number[][],
): Record<"train" | "validation" | "test", number[][]> {
  const parts = { train: [] as number[][], validation: [] as number[][], test: [] as number[][] };
  const numbers = new Map<string, number>();
  for (const row of rows) {
    const key = row.join();
    const number = numbers.get(key) ?? numbers.size;
    numbers.set(key, number);
    const part = number % 10 === 0 ? "test" : number % 10 === 1 ? "validation" : "train";
    parts[part].push(row);
  }
  return parts;
}

/** Mulberry32, a small generator of uniform numbers in [0, 1), for the noise of dequantized columns. */
function mulberry32(seed: number): () => number {
  let a = seed;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
