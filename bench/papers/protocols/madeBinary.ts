import { made } from "../../../src/flows/index.ts";
import { table } from "../../speed/table.ts";
import { readText } from "../files.ts";
import { type Model, trained } from "../models.ts";
import type { Protocol } from "../protocol.ts";
import { published } from "../published.ts";
import type { Rows } from "../rows.ts";
import { mean, standardError } from "../statistics.ts";

/** Where the three parts of each set are. */
const files: Readonly<Record<string, string>> = {
  adult: "debd/adult",
  dna: "made/dna",
  mushrooms: "debd/mushrooms",
  nltcs: "debd/nltcs",
  plants: "debd/plants",
};

const models: readonly Model[] = [
  {
    name: "MADE",
    build: ({ features, seed }) =>
      made(features, { outputs: "bernoulli", hidden: [500], direct: true, ordering: "random", seed }),
    settings: { batchSize: 100, optimizer: { weightDecay: 0.3 } },
  },
  {
    name: "MADE, two layers",
    build: ({ features, seed }) =>
      made(features, { outputs: "bernoulli", hidden: [500, 500], direct: true, ordering: "random", seed }),
    settings: { batchSize: 100, optimizer: { weightDecay: 0.3 } },
  },
  {
    name: "MADE, ensemble of 32 masks and orders",
    build: ({ features, seed }) =>
      made(features, {
        outputs: "bernoulli",
        hidden: [500],
        direct: true,
        ordering: "random",
        masks: 32,
        orderAgnostic: true,
        seed,
      }),
    settings: { batchSize: 100, optimizer: { weightDecay: 0.3 } },
  },
];

/** Tables of zeros and ones under their fixed splits. */
export const madeBinary: Protocol = {
  name: "made-binary",
  about:
    "Tables of zeros and ones: the protocol of MADE (Germain et al. 2015) with fixed training, validation and test rows; mean test log-likelihood in nats, ± standard error over the test rows.",
  readsData: true,
  async run(run) {
    const papers = papersOf(run.data);
    const names = Object.keys(files).filter((name) => run.only.test(name));
    const scores: Record<string, Record<string, { test: number; error: number; validation: number }>> = {};
    for (const name of names) {
      const [train, validation, test] = ["train", "valid", "test"].map((part) => ({
        rows: load(run.data, `${files[name]}.${part}.data.gz`),
      }));
      scores[name] = {};
      for (const model of models) {
        const { flow, result } = await trained(model, train, {
          ...run,
          validation,
          minutes: run.minutes ?? 4,
        });
        const logProb = await flow.logProb(test.rows.values);
        scores[name][model.name] = {
          test: mean(logProb),
          error: standardError(logProb),
          validation: result.validationLogDensity,
        };
        run.log(`${name}, ${model.name}: ${JSON.stringify(scores[name][model.name])}, ${result.stopped}`);
      }
    }
    const rows = [...new Set(names.flatMap((name) => Object.keys(papers[name])))];
    const text = table(
      ["", ...names],
      [
        ...rows.map((row) => [`${row} †`, ...names.map((name) => papers[name][row]?.toFixed(2) ?? "")]),
        ...models.map(({ name: model }) => [
          `${model}, ours`,
          ...names.map((name) => {
            const { test, error } = scores[name][model];
            return `${test.toFixed(2)} ± ${error.toFixed(2)}`;
          }),
        ]),
      ],
    );
    return { text: `${text}\n\n${notes}`, json: scores };
  },
};

const notes = `Ours has 500 units a hidden layer, direct weights, and AdamW with a decay of 0.3, and is stopped early by the validation
rows or by the time. The first two have one mask in a random order. The ensemble draws one of 32 masks, each with an order of its
own, for every batch, and averages the probabilities of whole rows over all of them.`;

/** The paper's own table where it has the set; that of the circuits' literature otherwise. */
function papersOf(data: string): Record<string, Record<string, number>> {
  const { made_table_test_ll_nats: own, debd_test_ll_nats: circuits } = published(data);
  return { ...circuits, ...own };
}

function load(data: string, file: string): Rows {
  const lines = readText(data, file)
    .trim()
    .split("\n")
    .map((line) => line.split(",").map(Number));
  return { features: lines[0].length, values: Float64Array.from(lines.flat()) };
}
