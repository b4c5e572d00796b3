import type { Case } from "./cases.ts";
import { flops } from "./flops.ts";
import { measureOf } from "./measure.ts";
import { matrixPeak } from "./peak.ts";
import { median, quartiles } from "./statistics.ts";
import { digits, range, table } from "./table.ts";

const PLAN = { repeats: 400, budgetMs: 2000, warmUpMs: 500 };

/** What `npm run bench` says of one case. */
export interface Alone {
  readonly name: string;
  readonly job: Case["job"];
  /** Median. */
  readonly ms: number;
  readonly quartiles: readonly [number, number];
  /** Time to the first result, the session's creation included. */
  readonly startMs: number;
  /** GFLOP/s, unless the arithmetic of the flow is not counted. */
  readonly gflops?: number;
  /** Share of the machine's matrix-product peak. */
  readonly share?: number;
}

/** Measures the peak, then our time for each case by itself. */
export async function aloneAll(cases: readonly Case[]): Promise<{ peak: number; results: Alone[] }> {
  const peak = await matrixPeak();
  const results: Alone[] = [];
  for (const benchCase of cases) {
    console.error(benchCase.name);
    results.push(await alone(benchCase, peak));
  }
  return { peak, results };
}

async function alone(benchCase: Case, peak: number): Promise<Alone> {
  const { times, startMs } = await measureOf(benchCase)(PLAN);
  const ms = median(times);
  const { name, job } = benchCase;
  const operations = flops(benchCase);
  const gflops = operations && operations / (ms * 1e6);
  return {
    name,
    job,
    ms,
    quartiles: quartiles(times),
    startMs,
    ...(gflops && { gflops, share: gflops / peak }),
  };
}

export const aloneTable = (results: readonly Alone[]): string =>
  table(
    ["case", "median ms", "quartiles", "start ms", "GFLOP/s", "of the peak"],
    results.map(({ name, ms, quartiles, startMs, gflops, share }) => [
      name,
      digits(ms),
      range(quartiles),
      startMs.toFixed(0),
      gflops === undefined ? "" : digits(gflops),
      share === undefined ? "" : `${(100 * share).toFixed(0)}%`,
    ]),
  );
