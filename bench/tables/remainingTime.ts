/**
 * Compares the estimates of the time that is left of a training run (`RemainingTime`) with the real time, on tables:
 *
 *     node --import tsx bench/tables/remainingTime.ts FILE...
 *
 * Trains the default model of each table with one thread, and estimates at the beginning of each epoch. Prints a row of a table in Markdown:
 * the name of the table, the numbers of rows and columns, the epochs of the members that are trained by gradients, and for estimates after
 * 0 to 10%, 10 to 50% and 50 to 90% of the training, the median of the ratio of the estimate to the real time, and the share of the estimates
 * between half and twice the real time.
 */
import { basename } from "node:path";
import { RemainingTime } from "../../src/cli/remainingTime.ts";
import type { InMemoryDataset } from "../../src/dataset/index.ts";
import { splitWithTest } from "../../src/dataset/splitWithTest.ts";
import { fitMembers } from "../../src/tables/fit/fitMembers.ts";
import { readTrainingTable } from "../../src/tables/io/index.ts";
import { median } from "../speed/statistics.ts";

const PHASES = [
  [0, 0.1],
  [0.1, 0.5],
  [0.5, 0.9],
] as const;

interface Estimate {
  readonly at: number;
  readonly milliseconds: number;
}

for (const file of process.argv.slice(2)) {
  const read = await readTrainingTable(file, { kinds: {} });
  const split = splitWithTest(read.rows as InMemoryDataset, {
    testFraction: 0.1,
    validationFraction: 0.1,
    seed: 0,
  });
  const remaining = new RemainingTime(Number.POSITIVE_INFINITY);
  const estimates: Estimate[] = [];
  const epochs: number[] = [];
  const start = performance.now();
  const { flow } = await fitMembers(read.table!, split, {
    seed: 0,
    threads: 1,
    onMember(_, index, names) {
      remaining.begin({ index, names }, performance.now());
      epochs[index] = 0;
    },
    onProgress(progress) {
      const now = performance.now();
      remaining.update(progress, now);
      if (progress.epoch === epochs.at(-1)) return;
      epochs[epochs.length - 1] = progress.epoch;
      const estimate = remaining.estimate(now);
      if (estimate) estimates.push({ at: now - start, milliseconds: estimate.milliseconds });
    },
  });
  const total = performance.now() - start;
  const trained = epochs.filter((count) => count > 0);
  console.log(
    `| ${[basename(file), read.rows.rows, read.columns.length, trained.join(", "), ...PHASES.map((phase) => accuracy(estimates, total, phase))].join(" | ")} |`,
  );
  await read.close();
  await flow.release();
}

function accuracy(
  estimates: readonly Estimate[],
  total: number,
  [from, to]: readonly [number, number],
): string {
  const ratios = estimates
    .filter(({ at }) => at >= from * total && at < to * total)
    .map(({ at, milliseconds }) => milliseconds / (total - at));
  if (ratios.length === 0) return "";
  const close = ratios.filter((ratio) => ratio >= 0.5 && ratio <= 2).length;
  return `${median(ratios).toFixed(2)}, ${Math.round((100 * close) / ratios.length)}%`;
}
