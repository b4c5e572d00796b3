/**
 * Compares the default model of tables with simpler densities, on the tenth of the rows that `pushforward fit` holds out as test rows.
 *
 *     node --import tsx bench/tables/baselines.ts FILE... [--rows 10000] [--train 300] [--splits 1] [--threads 1]
 *
 * Of each FILE, at most `--rows` rows are used, chosen at random. With `--train`, the models are fitted to so many of them, and all others are
 * the test rows, so that the comparison of models of a small table has little noise. `fitMembers` then gets as many test rows as a table of this
 * size has, a ninth of `--train`.
 *
 * With several `--splits`, all models are fitted for each of these random splits, and the test rows of all splits are compared together. The
 * simpler densities are those of a report (`tableBaselines`), fitted to the rows that the model has learned, and in the measure of the model:
 * cells of lattices, frequent values and missing values have probabilities. A simpler
 * density that does not exist in every split is left out, with a message. Prints a row
 * of a table in Markdown for each file: its name, the numbers of rows and columns, the members with their weights in the first split, the mean log-density of
 * the test rows in nats, the name of the best simpler density, and the mean gain over it with its standard error.
 */
import { basename } from "node:path";
import { parseArgs } from "node:util";
import { concatDatasets } from "../../src/dataset/concatDatasets.ts";
import type { InMemoryDataset } from "../../src/dataset/index.ts";
import { splitWithTest } from "../../src/dataset/splitWithTest.ts";
import { estimate } from "../../src/numerics/runningMean.ts";
import { atomsOfFlow } from "../../src/tables/evaluate/compareDensities.ts";
import { tableBaselines } from "../../src/tables/evaluate/tableBaselines.ts";
import { fitMembers } from "../../src/tables/fit/fitMembers.ts";
import { readTrainingTable } from "../../src/tables/io/index.ts";
import { mean } from "../papers/statistics.ts";

const joined = (parts: readonly Float64Array[]) => Float64Array.from(parts.flatMap((part) => [...part]));

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    rows: { type: "string", default: "10000" },
    train: { type: "string" },
    splits: { type: "string", default: "1" },
    threads: { type: "string", default: "1" },
  },
});
const threads = Number(values.threads);
const splits = Number(values.splits);
const train = values.train === undefined ? undefined : Number(values.train);
for (const file of positionals) {
  const query = `FROM '${file}' USING SAMPLE reservoir(${values.rows} ROWS) REPEATABLE (0)`;
  const read = await readTrainingTable(query, { kinds: {} });
  const columns = read.table!;
  const rows = read.rows as InMemoryDataset;
  const scores: Float64Array[] = [];
  const others = new Map<string, Float64Array[]>();
  let names = "";
  for (let seed = 0; seed < splits; seed++) {
    const testFraction = train === undefined ? 0.1 : 1 - train / rows.rows;
    const split = splitWithTest(rows, { testFraction, validationFraction: 0.1, seed });
    const test = split.test! as InMemoryDataset;
    // The number of all rows decides whether a table is cross-validated.
    const heldOut =
      train === undefined ? test : test.split(Math.min(0.5, train / 9 / test.rows), seed).validation;
    const { flow, members, validated } = await fitMembers(
      columns,
      { ...split, test: heldOut },
      { seed, threads },
    );
    names ||= members.map(({ name, weight }) => `${name} ${Math.round(100 * weight)}%`).join(", ");
    const training = split.training as InMemoryDataset;
    scores.push(await flow.logProb(test.values, undefined, { threads }));
    const learned = validated ? concatDatasets([training, split.validation]) : training;
    for (const baseline of await tableBaselines(columns, learned, { atoms: atomsOfFlow(flow), threads })) {
      const name = baseline.name.replace(/ \(\d+\)/, "");
      others.set(name, [...(others.get(name) ?? []), await baseline.logDensities(test)]);
    }
    await flow.release();
  }
  const model = joined(scores);
  const table = basename(file).replace(/\.csv(\.gz)?$/, "");
  const compared = [...others].flatMap(([name, parts]) => {
    // Its gain over fewer test rows cannot be compared with the gains over the other densities.
    if (parts.length < splits) {
      console.error(`${table}: without ${name}, which exists in ${parts.length} of ${splits} splits`);
      return [];
    }
    const other = joined(parts);
    if (other.length !== model.length)
      throw new Error(`${name} has ${other.length} log-densities, and the model ${model.length}`);
    return [{ name, gain: estimate(model.map((x, n) => x - other[n])) }];
  });
  const best = compared.reduce((a, b) => (b.gain.mean < a.gain.mean ? b : a));
  const cells = [
    table,
    rows.rows,
    columns.length,
    names,
    mean(model).toFixed(3),
    best.name,
    `${best.gain.mean.toFixed(3)} ± ${best.gain.standardError.toFixed(3)}`,
  ];
  console.log(`| ${cells.join(" | ")} |`);
  await read.close();
}
