import { planarFlow } from "../../../src/flows/index.ts";
import { forTables } from "../../../src/tables/fit/index.ts";
import { readTask } from "../../adbench/tables.ts";
import { table } from "../../speed/table.ts";
import { type Model, tableModels, trainModel } from "../models.ts";
import type { Protocol } from "../protocol.ts";
import { published } from "../published.ts";
import { zScored } from "../rows.ts";
import { auroc, withError } from "../statistics.ts";

/** Some of the tables of `readTask`. */
const TABLES = ["annthyroid", "satellite", "satimage-2", "shuttle", "thyroid"];
const models: readonly Model[] = [
  {
    name: "planar",
    build: ({ features, seed }) => forTables(planarFlow(features, { seed })),
    settings: { optimizer: { learningRate: 3e-3 } },
  },
  tableModels.MAF,
  tableModels.NSF,
];
const publishedModels = ["PlanarFlow", "KNN", "DTE-C"];

/** Anomaly detection with minus the log-density as the anomaly score. */
export const adbench: Protocol = {
  name: "adbench",
  description:
    "Anomaly detection by low density on ADBench's tables, semi-supervised as in the DTE paper (Livernoche et al. 2024): area under the ROC curve in percent, mean ± standard error over seeds.",
  needsData: true,
  names: TABLES,
  async run(run) {
    const publishedScores = published(run.data).adbench_auroc.semi;
    const minutes = run.minutes ?? 1;
    const names = TABLES.filter((name) => run.only.test(name));
    const scores: Record<string, Record<string, number[]>> = {};
    for (const name of names) {
      const task = readTask(run.data, name, "one-class");
      const [train, test] = zScored(task.train, task.test);
      scores[name] = {};
      for (const model of models) {
        scores[name][model.name] = [];
        for (let seed = run.seed; seed < run.seed + (run.quick ? 1 : 5); seed++) {
          const settings = { ...run, seed, minutes };
          const { flow, result } = await trainModel(model, { rows: train }, settings);
          const surprise = (await flow.logProb(test.values)).map((value) => -value);
          scores[name][model.name].push(100 * auroc(surprise, task.labels));
          run.log(
            `${name}, ${model.name}, seed ${seed}: ${scores[name][model.name].at(-1)!.toFixed(2)}, ${result.epochs.length} epochs`,
          );
        }
      }
    }
    const text = table(
      [
        "",
        ...publishedModels.map((paper) => `${paper}, paper`),
        ...models.map((model) => `${model.name}, ours`),
      ],
      names.map((name) => [
        name,
        ...publishedModels.map((paper) => publishedScores[name][paper]),
        ...models.map((model) => withError(scores[name][model.name])),
      ]),
    );
    const limit = `Each training run is limited to ${minutes === 1 ? "one minute" : `${minutes} minutes`}.`;
    return { text: `${text}\n\n${notes}\n${limit}`, json: scores };
  },
};

const notes = `The training rows are the first half of the normal rows; the test rows are the other normal rows and all anomalies. Columns are
z-scored by the training rows. The paper's numbers are mean (standard deviation) over five seeds. Ours are mean ± standard error over
five seeds, which determine the initial flow and the tenth of the training rows that is held out for early stopping.`;
