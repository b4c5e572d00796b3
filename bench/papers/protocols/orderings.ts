import { maf, type RecipeOptions, realNVP } from "../../../src/flows/index.ts";
import { toys } from "../../../src/random/index.ts";
import { forTables } from "../../../src/tables/fit/index.ts";
import { table } from "../../speed/table.ts";
import { numbers, readColumns } from "../files.ts";
import { type Model, trainModel } from "../models.ts";
import type { Protocol, RunOptions } from "../protocol.ts";
import { countRows, crossValidationFolds, type Rows, selectRows, zScored } from "../rows.ts";
import { mean, withError } from "../statistics.ts";

/** Number of orderings that share the weights, one of which is sampled for every batch. */
const ORDERS = 8;

const orderings: Readonly<Record<string, RecipeOptions>> = {
  "reversed from layer to layer": { ordering: "alternating" },
  "random, fixed": { ordering: "random" },
  "drawn for every batch, evaluated with one": { ordering: "random", orders: ORDERS },
  "drawn for every batch, ensemble": { ordering: "random", orders: ORDERS, ensemble: true },
};

const recipes = { MAF: maf, "Real NVP": realNVP };

const models: readonly Model[] = Object.entries(recipes).flatMap(([recipe, build]) =>
  Object.entries(orderings).map(([ordering, options]) => ({
    name: `${recipe}, ${ordering}`,
    build: ({ features, seed }) =>
      forTables(build(features, { transforms: 5, hidden: [64, 64], seed, ...options })),
    settings: { optimizer: { learningRate: 3e-3, weightDecay: 0.3 } },
  })),
);

/** Functions that load the training and test rows of each split. */
const loaders: Readonly<Record<string, (run: RunOptions) => [Rows, Rows][]>> = {
  checkerboard: (run) => loadToy("checkerboard", run),
  twoMoons: (run) => loadToy("twoMoons", run),
  red: loadRedWine,
};

/** Compares orderings of the features in MAF and masks in Real NVP. */
export const orderingsProtocol: Protocol = {
  name: "orderings",
  description: `Orders of the features (Papamakarios et al. 2017) and masks of couplings: mean test log-likelihood in nats of five layers, with orders reversed, random, or drawn for every batch from ${ORDERS} that share the weights (Germain et al. 2015; Uria et al. 2014).`,
  needsData: true,
  names: Object.keys(loaders),
  async run(run) {
    const names = Object.keys(loaders).filter((name) => run.only.test(name));
    const scores: Record<string, Record<string, number[]>> = {};
    for (const name of names) {
      scores[name] = Object.fromEntries(models.map((model) => [model.name, []]));
      for (const [train, test] of loaders[name](run).slice(0, run.quick ? 1 : undefined)) {
        for (const model of models) {
          const { flow } = await trainModel(model, { rows: train }, run);
          scores[name][model.name].push(mean(await flow.logProb(test.values)));
          run.log(`${name}, ${model.name}: ${scores[name][model.name].at(-1)!.toFixed(3)}`);
        }
      }
    }
    const rows = models.map((model) => [
      model.name,
      ...names.map((name) => withError(scores[name][model.name], 3)),
    ]);
    return { text: `${table(["", ...names], rows)}\n\n${notes}`, json: scores };
  },
};

const notes = `Distributions in the plane have 5,000 training rows and three seeds. Red wine is z-scored by the training rows and has ten folds, over
which ± is computed. Two features have only two orderings and two masks. There, random orderings make a MAF worse, since neighboring
layers may have the same ordering, and sharing weights among orderings costs more than averaging gains. On red wine, a single random
ordering is not better than the order of the file, within the errors, and neither is one of the sampled orderings; averaging over all
sampled orderings is best for each recipe.`;

/** Training and test rows of a toy distribution, for three seeds. */
const loadToy = (name: "checkerboard" | "twoMoons", { seed, quick }: RunOptions): [Rows, Rows][] =>
  [0, 1, 2].map((k) =>
    [quick ? 1000 : 5000, 10_000].map((count, part) => ({
      features: 2,
      values: toys[name](count, { seed: 6 * seed + 2 * k + part }),
    })),
  ) as [Rows, Rows][];

function loadRedWine({ data, seed }: RunOptions): [Rows, Rows][] {
  const columns = [...readColumns(data, "uci", "winequality-red.csv").values()].slice(0, 11);
  const rows = { features: columns.length, values: numbers(columns) };
  return crossValidationFolds(countRows(rows), 10, seed).map(
    ({ train, test }) => zScored(selectRows(rows, train), selectRows(rows, test)) as [Rows, Rows],
  );
}
