import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { columnSummary, valuesRepeat } from "../src/columns/index.ts";

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

/** A table split into three parts by its distinct rows, z-scored by its training rows. */
export interface Table {
  readonly name: string;
  readonly features: number;
  /** [rows, features], as the other two. */
  readonly train: Float64Array;
  readonly validation: Float64Array;
  readonly test: Float64Array;
  /** Columns that got uniform noise. */
  readonly dequantized: readonly string[];
  /** Columns whose values repeat, in the rows as they are here: see `valuesRepeat`. */
  readonly repeating: readonly string[];
  /** SHA-256 of the three parts, which tells whether two results come from the same numbers. */
  readonly digest: string;
}

/** In a table that ends in `_dq`, columns of fewer different values get noise. */
const NOISE_BELOW = 50;

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
 * `name` may end in `_dq`: columns of fewer than 50 values then get uniform noise as wide as their smallest gap, the noise
 * that the references of these tables have.
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
  const kept = header.flatMap((h, i) => (source.drop?.includes(h.replace(/"/g, "")) ? [] : [i]));
  const rows = lines
    .filter((line) => !source.normalsOnly || Number(line[label]) === 0)
    .map((line) => kept.map((i) => Number(line[i])));
  const features = kept.length;
  // Before the noise, which would make equal rows differ.
  const parts = splitByDistinctRows(rows);
  const distinct = kept.map((_, c) => [...new Set(rows.map((row) => row[c]))].sort((a, b) => a - b));
  const few = distinct.flatMap((values, c) => (values.length < NOISE_BELOW ? [c] : []));
  if (noisy) {
    const random = mulberry32(12345);
    const gaps = distinct.map((values) => Math.min(...values.slice(1).map((v, i) => v - values[i])));
    for (const row of rows) for (const c of few) row[c] += random() * gaps[c];
  }
  const columns = kept.map((i) => header[i]);
  const summaries = columnSummary({ columns, rows: rows.length, values: rows.flat() });
  const { train } = parts;
  const mean = kept.map((_, c) => train.reduce((sum, row) => sum + row[c], 0) / train.length);
  const deviation = kept.map((_, c) =>
    Math.sqrt(train.reduce((sum, row) => sum + (row[c] - mean[c]) ** 2, 0) / train.length),
  );
  const scored = (set: number[][]) =>
    Float64Array.from(set.flatMap((row) => row.map((x, c) => (x - mean[c]) / deviation[c])));
  const arrays = {
    train: scored(train),
    validation: scored(parts.validation),
    test: scored(parts.test),
  };
  const hash = createHash("sha256");
  for (const values of Object.values(arrays)) hash.update(values);
  return {
    name,
    features,
    ...arrays,
    dequantized: noisy ? few.map((c) => columns[c]) : [],
    repeating: summaries
      .filter((summary) => valuesRepeat(summary, rows.length))
      .map((summary) => summary.name),
    digest: hash.digest("hex"),
  };
}

/**
 * Of every ten distinct rows, in the order in which they first appear, the first goes to the test rows, the second to
 * the validation rows and the others to the training rows. Copies of a row go where the first one went, so that no
 * test row is a training row too.
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

/** The generator that the noise of dequantized columns comes from. */
function mulberry32(seed: number): () => number {
  let a = seed;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
