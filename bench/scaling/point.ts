/** A program that measures the case in its argument and writes a `Point` as JSON to standard output. */
import { readFileSync, writeFileSync } from "node:fs";
import type { Case } from "../speed/cases.ts";
import { DISTINCT_BATCHES, type Plan, prepareMeasurement } from "../speed/measure.ts";
import { median } from "../speed/statistics.ts";
import { SCORED_ROWS } from "./curves.ts";
import type { Point } from "./measurePoint.ts";

/** The number of repeats is chosen so that they take this time in total, within these limits. */
const REPEATS_TOTAL_MS = 600;
const [MIN_REPEATS, MAX_REPEATS] = [5, 100];

const plan = (repeats: number, budgetMs = 0): Plan => ({ repeats, budgetMs, warmUpMs: 0 });
const benchCase: Case = JSON.parse(process.argv[2]);

// A small case first, so that the runtime, its threads and the compiled code do not count as memory of the case.
const small = { ...benchCase, dim: 2, transforms: 1, hidden: [8, 8] };
await prepareMeasurement(small.job === "train" ? small : { ...small, rows: SCORED_ROWS })(plan(0));
globalThis.gc?.();
writeFileSync("/proc/self/clear_refs", "5");
const before = residentBytes("VmRSS");

const measure = prepareMeasurement(benchCase);
const { startMs } = await measure(plan(0));
const bytes = residentBytes("VmHWM") - before - bytesOfRows(benchCase);

const [pilotMs] = (await measure(plan(1))).times;
const repeats = Math.min(MAX_REPEATS, Math.max(MIN_REPEATS, Math.round(REPEATS_TOTAL_MS / pilotMs)));
const { times } = await measure(plan(repeats, Number.POSITIVE_INFINITY));

const round = (value: number) => Number(value.toPrecision(4));
const point: Point = {
  medianMs: round(median(times)),
  fastestMs: round(Math.min(...times)),
  repeats,
  firstRunMs: round(startMs),
  mebibytes: round(bytes / 2 ** 20),
};
process.stdout.write(JSON.stringify(point));
process.exit();

/** Resident memory of this process: now (VmRSS), or the peak since clear_refs was written (VmHWM). */
function residentBytes(name: "VmRSS" | "VmHWM"): number {
  const [, kibibytes] = readFileSync("/proc/self/status", "utf8").match(new RegExp(`${name}:\\s+(\\d+)`))!;
  return 1024 * Number(kibibytes);
}

/** Memory of the rows or the noise and of the results, which every implementation needs. */
function bytesOfRows(benchCase: Case): number {
  const [float32, float64] = [4, 8];
  if (benchCase.job === "train") return DISTINCT_BATCHES * benchCase.batch * benchCase.dim * float32;
  const { rows, dim, job } = benchCase;
  const result = job === "logProb" ? float64 : (dim + 1) * float64;
  return rows * (dim * float32 + result);
}
