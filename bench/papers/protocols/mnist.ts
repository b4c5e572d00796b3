import { forTables, made, maf, realNVP } from "../../../src/flows/index.ts";
import { table } from "../../speed/table.ts";
import { gaussianLogDensity } from "../gaussian.ts";
import { loadMnist, type Mnist } from "../mnist.ts";
import { type Model, trained } from "../models.ts";
import type { Protocol } from "../protocol.ts";
import { published } from "../published.ts";
import { type Rows, selectRows } from "../rows.ts";
import { mean, standardError } from "../statistics.ts";

/** The paper's networks have two layers of 1,024. */
const hidden = [512, 512];

/** By their names in the paper's table; `Model.name` says what ours is. */
const models: Readonly<Record<string, Model>> = {
  MADE: {
    name: "MADE, two layers of 512",
    build: ({ features, seed }) => forTables(made(features, { hidden, seed })),
    settings: { optimizer: { learningRate: 1e-3 } },
  },
  RealNVP5: {
    name: "Real NVP, 5 layers of 512, 512",
    build: ({ features, seed }) => forTables(realNVP(features, { transforms: 5, hidden, seed })),
    settings: { optimizer: { learningRate: 5e-4 } },
  },
  MAF5: {
    name: "MAF, 5 layers of 512, 512",
    build: ({ features, seed }) => forTables(maf(features, { transforms: 5, hidden, seed })),
    settings: { optimizer: { learningRate: 5e-4 } },
  },
  "MADE MoG": {
    name: "MADE MoG, two layers of 512",
    build: ({ features, seed }) => forTables(made(features, { outputs: "mixture", hidden, seed })),
    settings: { optimizer: { learningRate: 1e-3 } },
  },
};

/** MNIST in logit space. */
export const mnist: Protocol = {
  name: "mnist",
  about:
    "MNIST in logit space, the protocol of MAF (Papamakarios, Pavlakou and Murray 2017): mean test log-likelihood in nats of logit(alpha + (1 - 2 alpha) (pixel + u) / 256), alpha = 1e-6, ± standard error over the test images.",
  readsData: true,
  async run(run) {
    const papers = published(run.data).maf_table_test_ll_nats.MNIST_logit as Record<string, number>;
    const { train, validation, test } = small(loadMnist(run.data, run.seed), run.quick);
    const minutes = run.minutes ?? 10;
    const scores: Record<string, { test: number; error: number; epochs?: number; stopped?: string }> = {};
    const record = (name: string, logProb: Float64Array, more: object = {}) => {
      scores[name] = { test: mean(logProb), error: standardError(logProb), ...more };
      run.log(`${name}: ${JSON.stringify(scores[name])}`);
    };
    if (run.only.test("Gaussian")) record("Gaussian", gaussianLogDensity(train, test));
    for (const [name, model] of Object.entries(models).filter(([name]) => run.only.test(name))) {
      const settings = { ...run, minutes, validation: { rows: validation } };
      const { flow, result } = await trained(model, { rows: train }, settings);
      const { epochs, stopped } = result;
      record(name, await flow.logProb(test.values), { epochs: epochs.length, stopped });
    }
    const text = table(
      ["", "paper †", "ours", "epochs", "ended by"],
      Object.entries(scores).map(([name, { test, error, epochs, stopped }]) => [
        models[name]?.name ?? name,
        papers[name].toFixed(1),
        `${test.toFixed(1)} ± ${error.toFixed(1)}`,
        epochs === undefined ? "" : String(epochs),
        stopped ?? "",
      ]),
    );
    return { text: `${text}\n\n${notes(minutes)}`, json: scores };
  },
};

const notes = (minutes: number) =>
  `The first 50,000 images train, the other 10,000 of the file end training early, and the 10,000 of the test file are scored. What is
cut beside the paper: layers of 512 units in place of 1,024, at most ${minutes} minutes for each model (the paper trains until 30
epochs without improvement), and no batch normalization between layers; each pixel is standardized instead.`;

function small({ train, validation, test }: Mnist, quick: boolean): Mnist {
  const first = Int32Array.from({ length: 1000 }, (_, i) => i);
  const cut = (rows: Rows) => (quick ? selectRows(rows, first) : rows);
  return { train: cut(train), validation: cut(validation), test: cut(test) };
}
