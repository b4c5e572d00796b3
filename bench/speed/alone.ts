import type { Case } from "./cases.ts";
import { flops } from "./flops.ts";
import { type Measurement, measureOf } from "./measure.ts";
import { matrixPeak } from "./peak.ts";
import { watched } from "./performed.ts";
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
  /** The same of all that the graph multiplies, zeros of a mask included, unless it has a loop. */
  readonly performedShare?: number;
}

/**
 * Measures our time for each case by itself, and before each the peak: the fastest counts for all, since a machine that others
 * share is now and then slower for minutes.
 */
export async function aloneAll(cases: readonly Case[]): Promise<{ peak: number; results: Alone[] }> {
  const peaks: number[] = [];
  const measured: Measured[] = [];
  for (const benchCase of cases) {
    console.error(benchCase.name);
    peaks.push(await matrixPeak());
    const { result, operations } = await watched(benchCase, () => measureOf(benchCase)(PLAN));
    measured.push({ benchCase, ...result, operations });
  }
  const peak = Math.max(...peaks);
  return { peak, results: measured.map((each) => alone(each, peak)) };
}

interface Measured extends Measurement {
  readonly benchCase: Case;
  readonly operations: number | undefined;
}

function alone({ benchCase, times, startMs, operations }: Measured, peak: number): Alone {
  const ms = median(times);
  const rate = (count: number | undefined) => count && count / (ms * 1e6);
  const [gflops, performed] = [flops(benchCase), operations].map(rate);
  return {
    name: benchCase.name,
    job: benchCase.job,
    ms,
    quartiles: quartiles(times),
    startMs,
    ...(gflops && { gflops, share: gflops / peak }),
    ...(performed && { performedShare: performed / peak }),
  };
}

export const aloneTable = (results: readonly Alone[]): string =>
  table(
    ["case", "median ms", "quartiles", "start ms", "GFLOP/s", "of the peak", "performed"],
    results.map(({ name, ms, quartiles, startMs, gflops, share, performedShare }) => [
      name,
      digits(ms),
      range(quartiles),
      startMs.toFixed(0),
      gflops === undefined ? "" : digits(gflops),
      percent(share),
      percent(performedShare),
    ]),
  );

const percent = (share: number | undefined): string =>
  share === undefined ? "" : `${(100 * share).toFixed(0)}%`;
