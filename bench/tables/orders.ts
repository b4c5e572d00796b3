/**
 * Compares conditional densities of the default model, which learns any subset of columns given any others, with a model that is trained
 * for one subset only: the mean of log p(x_b | x_a) over test rows, for random subsets a of the columns.
 *
 *     node --import tsx bench/tables/orders.ts --data DIRECTORY [--only TABLE,...] [--rows 6000] [--subsets 2] [--max-minutes M]
 *
 * Prints a table in Markdown. At most `--rows` rows of each table are used, a tenth of which are test rows; each training run takes at most
 * `--max-minutes`.
 */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { InMemoryDataset } from "../../src/dataset/index.ts";
import type { ContextEmbeddingOptions } from "../../src/distributions/contextEmbedding.ts";
import { Random } from "../../src/random/index.ts";
import { featureNames, type TableColumn } from "../../src/tables/columns/tableColumn.ts";
import { fitMembers } from "../../src/tables/fit/fitMembers.ts";
import { readTrainingTable } from "../../src/tables/io/index.ts";
import { TableModel } from "../../src/tables/model/index.ts";
import { mean, standardError } from "../papers/statistics.ts";

const TABLES: Readonly<Record<string, string>> = {
  adult: "mixed/adult-train.csv.gz",
  beijing: "mixed/beijing-pm25.csv.gz",
  "red wine": "uci/winequality-red.csv",
};

const { data, only, ...values } = parseArgs({
  options: {
    data: { type: "string" },
    only: { type: "string" },
    rows: { type: "string", default: "6000" },
    subsets: { type: "string", default: "2" },
    "max-minutes": { type: "string" },
  },
}).values;
if (!data) throw new Error("--data DIRECTORY is required: the directory that contains mixed/ and uci/");
const limits = values["max-minutes"] === undefined ? {} : { maxMinutes: Number(values["max-minutes"]) };

console.log("| table | given | any columns | one subset | difference |");
console.log("| --- | --- | --- | --- | --- |");
for (const name of only?.split(",") ?? Object.keys(TABLES)) await compareOn(name, join(data, TABLES[name]));

async function compareOn(name: string, path: string): Promise<void> {
  const read = await readTrainingTable(path, { kinds: {} });
  const columns = read.table!;
  const random = new Random(0).split(name);
  const all = read.rows as InMemoryDataset;
  const rows = all.select(random.split("rows").permutation(all.rows).slice(0, Number(values.rows)));
  const { training: others, validation: test } = rows.split(0.1, 0);
  const split = others.split(0.1, 0);
  const start = performance.now();
  const { flow, members } = await fitMembers(columns, split, { seed: 0, ...limits });
  const seconds = (performance.now() - start) / 1000;
  const logDensity = mean(await flow.logProb(test.values));
  const weights = members.map(({ name, weight }) => `${name} ${weight.toFixed(2)}`).join(", ");
  console.error(`${name}: ${weights}; ${seconds.toFixed(0)} s; log p(x) ${logDensity.toFixed(3)}`);
  const model = new TableModel({ columns, flow });
  for (let s = 0; s < Number(values.subsets); s++) {
    const given = givenColumns(columns, random.split("subset").split(s));
    const of = columns.filter((column) => !given.includes(column));
    const names = (some: readonly TableColumn[]) => some.map((column) => column.name);
    const anyColumns = await model.conditionalScore(test.values, names(of), names(given));
    const oneSubset = await dedicated(columns, given, split, test);
    const difference = anyColumns.map((value, n) => value - oneSubset[n]);
    const cells = [
      name,
      names(given).join(", "),
      mean(anyColumns).toFixed(3),
      mean(oneSubset).toFixed(3),
      `${mean(difference).toFixed(3)} ± ${standardError(difference).toFixed(3)}`,
    ];
    console.log(`| ${cells.join(" | ")} |`);
  }
  await model.release();
}

/** log p(x_b | x_a) of the test rows under the best model that is trained for the columns a = `given` only. */
async function dedicated(
  columns: readonly TableColumn[],
  given: readonly TableColumn[],
  split: { training: InMemoryDataset; validation: InMemoryDataset },
  test: InMemoryDataset,
): Promise<Float64Array> {
  const of = columns.filter((column) => !given.includes(column));
  // The numbers come first in a context, and then the labels.
  const isLabel = (column: TableColumn) => column.kind === "categorical";
  const context = [...given.filter((column) => !isLabel(column)), ...given.filter(isLabel)];
  const embedding: ContextEmbeddingOptions = {
    numbers: context.filter((column) => !isLabel(column)).flatMap(featureNames).length,
    classes: context.flatMap((column) => (column.kind === "categorical" ? [column.labels.length] : [])),
  };
  const arrange = (rows: InMemoryDataset) =>
    new InMemoryDataset({
      features: of.flatMap(featureNames).length,
      values: selectFeatures(rows, columns, of),
      context: selectFeatures(rows, columns, context),
    });
  const parts = { training: arrange(split.training), validation: arrange(split.validation) };
  const { flow } = await fitMembers(of, parts, { seed: 0, embedding, ...limits });
  const { values, context: ofRows } = arrange(test);
  const scores = await flow.logProb(values, ofRows);
  await flow.release();
  return scores;
}

/** About half of the columns, at least one, among those in which no value is missing, as a context needs them. */
function givenColumns(columns: readonly TableColumn[], random: Random): TableColumn[] {
  const complete = columns.filter(({ kind, gaps }) => kind !== "constant" && !gaps);
  const order = random.permutation(complete.length);
  const count = Math.ceil(complete.length / 2);
  return columns.filter((column) => Array.from(order.slice(0, count), (i) => complete[i]).includes(column));
}

/** The features of these columns, in their order, of each row. */
function selectFeatures(
  { rows, values, features }: InMemoryDataset,
  columns: readonly TableColumn[],
  selected: readonly TableColumn[],
): Float64Array {
  const owners = columns.flatMap((column) => featureNames(column).map(() => column));
  const indices = selected.flatMap((column) => owners.flatMap((owner, i) => (owner === column ? [i] : [])));
  return Float64Array.from(
    { length: rows * indices.length },
    (_, i) => values[Math.floor(i / indices.length) * features + indices[i % indices.length]],
  );
}
