import { count, counted, PushforwardError } from "../check/index.ts";
import type { Comparison, DifferentAtoms } from "../tables/evaluate/index.ts";
import type { Table } from "../tables/io/index.ts";
import { command } from "./command.ts";
import { engine, engineOf } from "./engine.ts";
import { estimate, jsonLine } from "./format.ts";
import { dataOfModel, flag, model, readOptions, strict } from "./options.ts";

/** The names of the two models in messages. */
const NAMES = ["A", "B"] as const;

export const compare = command({
  name: "compare",
  summary: "Compares the log-densities of a table under two models.",
  positionals: { a: model, b: { description: "Another model of the same columns." }, data: dataOfModel },
  options: {
    strict,
    ...readOptions,
    ...engine,
    json: flag(
      "Prints one JSON object: rows, first, second, difference, shareHigher. first and second have isBound for a lower bound.",
    ),
  },
  details: [
    "Prints the mean log-density of the rows under each model, in nats, and the mean of their differences, row by row, with its standard error. If the mean difference A - B is above 0 by several standard errors, A describes rows of this kind better. Use rows that neither model was fitted to.",
    "Models of different columns are refused, and so are models in which a column has a density in one and probabilities in the other, because a density depends on the unit of the column and a probability does not.",
  ],
  examples: [
    ["compare default.safetensors nsf.safetensors test.csv", "Which model describes unseen rows better."],
    [`compare a.safetensors b.safetensors "FROM 'quakes.csv' WHERE mag > 4" --json`, "The same as JSON."],
  ],
  async run({ a, b, data, strict, threads, provider, json, ...reading }, io) {
    const { openTable } = await import("../tables/io/index.ts");
    const { checkComparable, compareLogDensities } = await import("../tables/evaluate/index.ts");
    const { refuseImages } = await import("./imageModels.ts");
    const { readModel } = await import("./model.ts");
    const { scoreOpenTable } = await import("./scoring.ts");

    const run = engineOf({ threads, provider });
    const models = [await readModel(a), await readModel(b)] as const;
    for (const [i, path] of [a, b].entries()) refuseImages(models[i]!, path, "compare");
    const different = checkComparable(...models);
    const table = await openTable(data, { ...reading, signal: io.interrupted });
    try {
      for (const atoms of different) await checkComparableValues(table, atoms);
      const scores: Float64Array[] = [];
      for (const [i, model] of models.entries())
        scores.push(
          await scoreOpenTable(model, table, { strict, run, label: `${NAMES[i]}: ` }, io, allScores),
        );
      const comparison = compareLogDensities(scores[0]!, scores[1]!);
      const areBounds = models.map(({ flow }) => flow.isBound);
      io.stdout.write(
        json
          ? jsonLine(comparisonObject(comparison, areBounds))
          : comparisonText(comparison, a, b, areBounds),
      );
    } finally {
      await table.close();
      for (const { flow } of models) await flow.release();
    }
  },
});

/** All log-densities of a table. */
async function allScores({
  table,
  scores,
}: {
  readonly table: Table;
  readonly scores: AsyncIterable<Float64Array>;
}): Promise<Float64Array> {
  const all = new Float64Array(table.rows);
  let start = 0;
  for await (const block of scores) {
    all.set(block, start);
    start += block.length;
  }
  return all;
}

/** Throws `DATA` if a row has a value with a probability under one model and a density under the other. */
async function checkComparableValues(table: Table, { column, includes }: DifferentAtoms): Promise<void> {
  if (!table.columns.some(({ name }) => name === column)) return;
  const { readColumns } = await import("../tables/io/index.ts");
  const { columns } = await readColumns(table, [column]);
  const values = columns[0]?.values ?? new Float64Array();
  const first = values.findIndex(includes);
  if (first < 0) return;
  const rows = values.filter(includes).length;
  throw new PushforwardError(
    "DATA",
    `The log-densities of ${counted(rows, "row")} are not comparable: in column "${column}" one model has a probability for their values, and the other a density`,
    {
      received: `${values[first]} in ${table.rowText(first + 1)}`,
      hint: "Fit both as default models with the same seed, or leave these rows out in a query.",
    },
  );
}

const comparisonObject = (
  { first, second, difference, shareHigher }: Comparison,
  [isFirstBound, isSecondBound]: readonly boolean[],
) => ({
  rows: difference.count,
  first: {
    meanLogDensity: first.mean,
    standardError: first.standardError,
    ...(isFirstBound && { isBound: true }),
  },
  second: {
    meanLogDensity: second.mean,
    standardError: second.standardError,
    ...(isSecondBound && { isBound: true }),
  },
  difference: { mean: difference.mean, standardError: difference.standardError },
  shareHigher,
});

function comparisonText(
  { first, second, difference, shareHigher }: Comparison,
  a: string,
  b: string,
  areBounds: readonly boolean[],
): string {
  const lines = [
    `A      ${estimate(first)} nats, ${a}`,
    `B      ${estimate(second)} nats, ${b}`,
    `A - B  ${estimate(difference)} nats; A is higher in ${(100 * shareHigher).toFixed(1)}% of ${count(difference.count)} rows`,
    verdict(difference),
    ...NAMES.filter((_, i) => areBounds[i]).map(
      (name) => `The numbers of ${name} are lower bounds: its log-densities may be higher.`,
    ),
  ];
  return `${lines.join("\n")}\n`;
}

/** Says which model is better, unless the difference is below two standard errors, which may be due to the choice of rows. */
function verdict({ mean, standardError }: Comparison["difference"]): string {
  if (Number.isNaN(mean)) return "Each model gives probability 0 to rows that are possible under the other.";
  const [better, worse] = mean > 0 ? ["A", "B"] : ["B", "A"];
  if (!Number.isFinite(mean))
    return `${better} describes these rows better: ${worse} gives probability 0 to some.`;
  const errors = Math.abs(mean) / standardError;
  // Without a spread of the differences, as for one row or equal rows, there is no error to compare with.
  if (!(errors >= 2 && errors < Number.POSITIVE_INFINITY))
    return "These rows do not show which model is better.";
  return `${better} describes these rows better: the difference is ${errors.toFixed(1)} standard errors.`;
}
