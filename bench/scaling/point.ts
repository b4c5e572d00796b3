/** Measures the case that is its argument, in a process of its own, and writes a point as JSON. */
import { readFileSync, writeFileSync } from "node:fs";
import type { Case } from "../speed/cases.ts";
import { type Plan, prepareMeasurement } from "../speed/measure.ts";
import { median } from "../speed/statistics.ts";
import { ROWS } from "./curves.ts";
import type { Point } from "./measurePoint.ts";

/** Repeats last this long together, but there are no fewer and no more of them. */
const BUDGET_MS = 600;
const [FEWEST, MOST] = [5, 100];

const plan = (repeats: number, budgetMs = 0): Plan => ({ repeats, budgetMs, warmUpMs: 0 });
const benchCase: Case = JSON.parse(process.argv[2]);

// The runtime, its threads and the code of the job are there before memory is counted.
const small = { ...benchCase, dim: 2, transforms: 1, hidden: [8, 8] };
await prepareMeasurement(small.job === "train" ? small : { ...small, rows: ROWS })(plan(0));
globalThis.gc?.();
writeFileSync("/proc/self/clear_refs", "5");
const before = residentBytes("VmRSS");

const measure = prepareMeasurement(benchCase);
const { startMs } = await measure(plan(0));
const bytes = residentBytes("VmHWM") - before - bytesOfRows(benchCase);

const [pilot] = (await measure(plan(1))).times;
const repeats = Math.min(MOST, Math.max(FEWEST, Math.round(BUDGET_MS / pilot)));
const { times } = await measure(plan(repeats, Number.POSITIVE_INFINITY));

const rounded = (value: number) => Number(value.toPrecision(4));
const point: Point = {
  medianMs: rounded(median(times)),
  fastestMs: rounded(Math.min(...times)),
  repeats,
  startMs: rounded(startMs),
  mebibytes: rounded(bytes / 2 ** 20),
};
process.stdout.write(JSON.stringify(point));
process.exit();

/** Linux's account of this process: what is resident now, and what was at most since the mark was cleared. */
function residentBytes(name: "VmRSS" | "VmHWM"): number {
  const [, kibibytes] = readFileSync("/proc/self/status", "utf8").match(new RegExp(`${name}:\\s+(\\d+)`))!;
  return 1024 * Number(kibibytes);
}

/** What scoring is given and gives, and what sampling draws its rows from and gives: no way of computing saves that. */
function bytesOfRows(benchCase: Case): number {
  if (benchCase.job === "train") return 0;
  const { rows, dim, job } = benchCase;
  const [float32, float64] = [4, 8];
  const result = job === "logProb" ? float64 : (dim + 1) * float64;
  return rows * (dim * float32 + result);
}
