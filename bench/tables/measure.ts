/**
 * Measures the default model on a table: held-out log-density beside that of independent columns, time and memory.
 *
 *     node --import tsx bench/tables/measure.ts [FILE] [--rows 500] [--columns 2000] [--sample 100] [--budget small] [--threads 1]
 *
 * Of a FILE, at most `--rows` rows are used, chosen at random (default: all). Without FILE the table is generated. Each column is computed
 * from a linear combination of 10 normal factors and noise: the columns are real numbers, counts, positive numbers and labels, repeatedly
 * in this order. Prints a row of a table in Markdown: the name of the table, the budget, the numbers of rows and columns, the members with
 * their weights, the mean log-densities of a tenth of the rows in nats under independent columns and under the model, the seconds of
 * processor time (of all threads) to train, to score these rows and to draw `--sample` rows, and the largest resident memory of the process
 * in GB.
 */
import { rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";
import type { InMemoryDataset } from "../../src/dataset/index.ts";
import { splitWithTest } from "../../src/dataset/splitWithTest.ts";
import { Random } from "../../src/random/index.ts";
import { independentBaseline } from "../../src/tables/evaluate/independentBaseline.ts";
import { fitMembers } from "../../src/tables/fit/fitMembers.ts";
import { readTrainingTable } from "../../src/tables/io/index.ts";
import { BUDGETS } from "../../src/tables/options/budgets.ts";
import { mean } from "../papers/statistics.ts";

const FACTORS = 10;

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    rows: { type: "string" },
    columns: { type: "string", default: "2000" },
    sample: { type: "string", default: "100" },
    budget: { type: "string", default: "default" },
    threads: { type: "string", default: "1" },
  },
});
const [file] = positionals;
const budget = BUDGETS.find((each) => each === values.budget);
if (!budget) throw new Error(`no budget ${values.budget}; there are ${BUDGETS.join(", ")}`);
const path = file ?? join(tmpdir(), `pushforward-table-${process.pid}.csv`);
try {
  if (!file) writeFileSync(path, generatedTable(Number(values.rows ?? 500), Number(values.columns)));
  console.log(`| ${(await measure(path)).join(" | ")} |`);
} finally {
  if (!file) rmSync(path, { force: true });
}

/** Fits the model to a file and gives the cells of the row. */
async function measure(path: string): Promise<(string | number)[]> {
  const someRows = `FROM '${path}' USING SAMPLE reservoir(${values.rows} ROWS) REPEATABLE (0)`;
  const read = await readTrainingTable(file && values.rows ? someRows : path, { kinds: {} });
  const all = read.rows as InMemoryDataset;
  const split = splitWithTest(all, { testFraction: 0.1, validationFraction: 0.1, seed: 0 });
  const test = split.test!;
  const independent = await independentBaseline(read.table!, split.training);
  const ofIndependent = mean(await independent.logDensities(test));
  const threads = Number(values.threads);
  const { result, seconds } = await timed(() => fitMembers(read.table!, split, { seed: 0, budget, threads }));
  const scoring = await timed(() => result.flow.logProb(test.values, undefined, { threads }));
  const sampling = await timed(() => result.flow.sample(Number(values.sample), { seed: 1, threads }));
  await read.close();
  await result.flow.release();
  return [
    file ? basename(file) : "generated",
    values.budget,
    all.rows,
    read.columns.length,
    result.members.map(({ name, weight }) => `${name} ${weight.toFixed(2)}`).join(", "),
    ofIndependent.toFixed(2),
    mean(scoring.result).toFixed(2),
    ...[seconds, scoring.seconds, sampling.seconds].map((each) => each.toFixed(0)),
    (process.resourceUsage().maxRSS / 1e6).toFixed(1),
  ];
}

/** The result of a function and its seconds of processor time. */
async function timed<T>(run: () => Promise<T>): Promise<{ result: T; seconds: number }> {
  const start = process.cpuUsage();
  const result = await run();
  const { user, system } = process.cpuUsage(start);
  return { result, seconds: (user + system) / 1e6 };
}

function generatedTable(rows: number, columns: number): string {
  const random = new Random(1);
  const normal = (name: string, count: number) => random.split(name).normal(new Float64Array(count));
  const factors = normal("factors", rows * FACTORS);
  const loadings = normal("loadings", columns * FACTORS);
  const noise = normal("noise", rows * columns);
  const value = (row: number, column: number) => {
    let sum = 0;
    for (let f = 0; f < FACTORS; f++) sum += factors[row * FACTORS + f] * loadings[column * FACTORS + f];
    const x = sum / Math.sqrt(FACTORS) + 0.7 * noise[row * columns + column];
    switch (column % 4) {
      case 0:
        return x.toPrecision(6);
      case 1:
        return Math.floor(Math.exp(1.5 + 0.6 * x));
      case 2:
        return Math.exp(x).toPrecision(6);
      default:
        return x > 0.5 ? "high" : x > -0.5 ? "middle" : "low";
    }
  };
  const line = (of: (column: number) => string | number) =>
    Array.from({ length: columns }, (_, c) => of(c)).join(",");
  return [line((c) => `c${c}`), ...Array.from({ length: rows }, (_, n) => line((c) => value(n, c)))].join(
    "\n",
  );
}
