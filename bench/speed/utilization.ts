import type { Case } from "./cases.ts";
import { countFlopsOf } from "./executedFlops.ts";
import { flops } from "./flops.ts";
import { type Measurement, prepareMeasurement } from "./measure.ts";
import { matrixPeak } from "./peak.ts";
import { median, quartiles } from "./statistics.ts";
import { digits, range, table } from "./table.ts";

const PLAN = { repeats: 400, budgetMs: 2000, warmUpMs: 500 };

/** Time of one case, and how much of the processor's peak it reaches. */
export interface Utilization {
  readonly name: string;
  readonly job: Case["job"];
  /** Median time in milliseconds. */
  readonly ms: number;
  readonly quartiles: readonly [number, number];
  /** Time to the first result, including the creation of the session. */
  readonly startMs: number;
  /** Rate of the operations that `flops` counts; undefined for flows that it does not know. */
  readonly gflops?: number;
  /** `gflops` as a share of the peak of matrix products. */
  readonly share?: number;
  /** The same share for all products that the graph executes, including masked zeros; undefined if it has a loop. */
  readonly executedShare?: number;
}

/**
 * Measures pushforward's time for each case. The peak is measured before each case and the highest one is used for all of
 * them, since a shared machine can be slower for some minutes. A case that fails is left out with a message.
 */
export async function measureUtilization(
  cases: readonly Case[],
): Promise<{ peak: number; results: Utilization[] }> {
  const peaks: number[] = [];
  const measured: MeasuredCase[] = [];
  for (const benchCase of cases) {
    console.error(benchCase.name);
    peaks.push(await matrixPeak());
    try {
      const { result, operations } = await countFlopsOf(benchCase, () => prepareMeasurement(benchCase)(PLAN));
      measured.push({ benchCase, ...result, operations });
    } catch (error) {
      console.error(`${benchCase.name} is left out: ${(error as Error).message}`);
    }
  }
  const peak = Math.max(...peaks);
  return { peak, results: measured.map((each) => utilization(each, peak)) };
}

interface MeasuredCase extends Measurement {
  readonly benchCase: Case;
  readonly operations: number | undefined;
}

function utilization({ benchCase, times, startMs, operations }: MeasuredCase, peak: number): Utilization {
  const ms = median(times);
  const gflopsOf = (count: number | undefined) => count && count / (ms * 1e6);
  const [gflops, executed] = [flops(benchCase), operations].map(gflopsOf);
  return {
    name: benchCase.name,
    job: benchCase.job,
    ms,
    quartiles: quartiles(times),
    startMs,
    ...(gflops && { gflops, share: gflops / peak }),
    ...(executed && { executedShare: executed / peak }),
  };
}

export const utilizationTable = (results: readonly Utilization[]): string =>
  table(
    ["case", "median ms", "quartiles", "start ms", "GFLOP/s", "of the peak", "executed"],
    results.map(({ name, ms, quartiles, startMs, gflops, share, executedShare }) => [
      name,
      digits(ms),
      range(quartiles),
      startMs.toFixed(0),
      gflops === undefined ? "" : digits(gflops),
      percent(share),
      percent(executedShare),
    ]),
  );

const percent = (share: number | undefined): string =>
  share === undefined ? "" : `${(100 * share).toFixed(0)}%`;
