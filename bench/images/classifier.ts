/**
 * Accuracy of two classifiers, for each class:
 *
 * - a multilayer perceptron that is trained on real images, on test images and on samples of a model: how well the samples show their class;
 * - the model itself by Bayes' rule (`ImageModel.classify`), on the first of the test images.
 *
 *     npx tsx bench/images/classifier.ts --model MODEL --test IMAGES --test LABELS TRAINING_IMAGES_AND_LABELS...
 */
import { parseArgs } from "node:util";
import type { InMemoryDataset } from "../../src/dataset/index.ts";
import { constant, type Tensor } from "../../src/graph/index.ts";
import { imageRows } from "../../src/images/files/index.ts";
import { ImageModel } from "../../src/images/model/index.ts";
import { MLP } from "../../src/nn/index.ts";
import { loadModel, openImages } from "../../src/open/index.ts";
import { Random } from "../../src/random/index.ts";
import { compile } from "../../src/runtime/index.ts";
import { minimize } from "../../src/train/index.ts";
import { table } from "../speed/table.ts";

/** The number of samples of each class. */
const SAMPLES = 100;
/** The number of test images that the model classifies, which takes as long as scoring each of them under all classes. */
const CLASSIFIED = 1000;

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { model: { type: "string" }, test: { type: "string", multiple: true, default: [] } },
});

async function readImages(paths: string[]): Promise<InMemoryDataset> {
  const rows = await imageRows(await openImages(paths), {
    classes: true,
    maxNumbersInMemory: Number.POSITIVE_INFINITY,
  });
  return rows as InMemoryDataset;
}

await using model = ImageModel.from(await loadModel(options.model!));
const { classes, features, values } = model;
const K = classes.length;

const network = new MLP(features, K, { hidden: [512] }, new Random(0));
const logits = (pixels: Tensor): Tensor => network.apply(pixels.mul(1 / (values - 1)));
const labels = constant(
  classes.map((_, y) => y),
  [K],
);
await minimize(
  ({ values, context }) => {
    const output = logits(values);
    return output.logsumexp(1).sub(context!.equal(labels).where(output, 0).sum(1));
  },
  network,
  await readImages(positionals),
  { epochs: 8, batchSize: 128, threads: 1 },
);

const compiledLogits = compile(logits, [["N", features]]);

/** The class of each image by the perceptron. */
async function predict(pixels: Float64Array): Promise<number[]> {
  const output = await compiledLogits(pixels);
  return Array.from({ length: pixels.length / features }, (_, i) => {
    const row = output.subarray(i * K, (i + 1) * K);
    return row.indexOf(Math.max(...row));
  });
}

/** The accuracy for each class, and for all images. */
function accuracies(predicted: ArrayLike<number>, labels: ArrayLike<number>): string[] {
  const right = classes.map(() => 0);
  const counts = classes.map(() => 0);
  for (let i = 0; i < predicted.length; i++) {
    counts[labels[i]!]!++;
    if (predicted[i] === labels[i]) right[labels[i]!]!++;
  }
  const sum = (numbers: number[]) => numbers.reduce((a, b) => a + b);
  const shares = [...right.map((each, y) => each / counts[y]!), sum(right) / sum(counts)];
  return shares.map((share) => (100 * share).toFixed(1));
}

const test = await readImages(options.test);
const sampled = Int32Array.from({ length: SAMPLES * K }, (_, i) => i % K);
const samples = await model.sample(sampled.length, { classes: sampled, threads: 1 });
const rows = [
  ["perceptron, all test images", ...accuracies(await predict(test.values), test.context)],
  [`perceptron, ${sampled.length} samples`, ...accuracies(await predict(samples), sampled)],
];
const { classes: predicted } = await model.classify(test.values.subarray(0, CLASSIFIED * features), {
  threads: 1,
});
rows.push([`Bayes' rule, ${predicted.length} test images`, ...accuracies(predicted, test.context)]);
console.log(table(["accuracy in %", ...classes, "all"], rows));
