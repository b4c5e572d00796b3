/**
 * Variational autoencoders of binarized MNIST whose posteriors are flows: the evidence lower bound, and the importance-sampled
 * estimate of the log-likelihood.
 *
 *     npm run bench:vae -- MNIST MODELS [SEEDS]
 *     npm run bench:vae -- MNIST MODELS --test
 *
 * MNIST is the folder with the four idx files, the training images in parts of 15,000. The first form trains the models that
 * bench/vae/results.json does not have, with the seeds 0 ... SEEDS - 1 (default 1), and writes each to the folder MODELS and its
 * results on validation images to the file; it can be interrupted and continued. The second form evaluates the models in the folder
 * on the test images, and writes bench/vae/RESULTS.md and the picture docs/images/vae.png.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { InMemoryDataset } from "../src/dataset/index.ts";
import { Autoencoder, type Flow } from "../src/flows/index.ts";
import { loadModel, saveModel } from "../src/open/index.ts";
import { autoencoderFigure } from "../src/report/index.ts";
import { svgToPng } from "../src/report/png.ts";
import { fit } from "../src/train/index.ts";
import { mean, standardError } from "./papers/statistics.ts";
import { testImages, trainingImages } from "./vae/mnist.ts";
import { MODEL_NAMES, modelOf, REFERENCE } from "./vae/models.ts";
import {
  type Difference,
  EPOCHS,
  type Estimates,
  IMPORTANCE_DRAWS,
  IMPORTANCE_IMAGES,
  LEARNING_RATE,
  type Run,
  resultsPage,
  WARM_UP,
} from "./vae/results.ts";

const RESULTS = new URL("vae/results.json", import.meta.url);
const PAGE = new URL("vae/RESULTS.md", import.meta.url);
const PICTURE = new URL("../docs/images/vae.png", import.meta.url);
/** The model of the picture. */
const PICTURED = "Sylvester";

/** The bound is a mean over this many draws for each image. */
const BOUND_DRAWS = 4;

const [mnist, folder, last] = process.argv.slice(2);
if (mnist === undefined || folder === undefined)
  throw new Error("usage: npm run bench:vae -- MNIST MODELS [SEEDS | --test]");
mkdirSync(folder, { recursive: true });
const runs: Run[] = existsSync(RESULTS) ? JSON.parse(readFileSync(RESULTS, "utf8")) : [];
const fileOf = ({ model, seed }: Pick<Run, "model" | "seed">) =>
  join(folder, `${model.replaceAll(/\W+/g, "-")}-${seed}.safetensors`);

if (last === "--test") await test();
else await train(Number(last ?? 1));

async function train(seeds: number): Promise<void> {
  const { training, validation } = trainingImages(mnist!);
  for (let seed = 0; seed < seeds; seed++) {
    for (const model of MODEL_NAMES) {
      if (runs.some((run) => run.model === model && run.seed === seed)) continue;
      const flow = modelOf(model, seed);
      const { epochs, bestEpoch } = await fit(flow, training, {
        validation,
        seed,
        epochs: EPOCHS,
        klWarmUp: WARM_UP,
        batchSize: 100,
        threads: 1,
        optimizer: { type: "adamax", learningRate: LEARNING_RATE },
        schedule: { type: "cosine" },
        onEpoch: ({ epoch, validationLogDensity }) =>
          console.log(`${model}, seed ${seed}, epoch ${epoch}: ${validationLogDensity.toFixed(2)}`),
      });
      await saveModel(fileOf({ model, seed }), { flow });
      const { bounds: _, ...estimates } = await estimate(flow, validation);
      runs.push({ model, seed, epochs: epochs.length, bestEpoch, validation: estimates });
      save();
      console.log(model, estimates);
    }
  }
}

/** Evaluates all models, unless that was done before, and writes the page and the picture. */
async function test(): Promise<void> {
  const images = testImages(mnist!);
  if (runs.some((run) => !run.test)) {
    const isReference = ({ model }: Run) => model === REFERENCE;
    const incomplete = runs.find(({ seed }) => !runs.some((run) => isReference(run) && run.seed === seed));
    if (incomplete) throw new Error(`the model "${REFERENCE}" was not trained with seed ${incomplete.seed}`);
    const references = new Map<number, Float64Array>();
    for (const run of [...runs.filter(isReference), ...runs.filter((run) => !isReference(run))]) {
      const { flow } = await loadModel(fileOf(run));
      const { bounds, ...estimates } = await estimate(flow, images);
      if (isReference(run)) references.set(run.seed, bounds);
      run.test = { ...estimates, difference: differenceOf(bounds, references.get(run.seed)!) };
      console.log(run.model, run.test);
    }
    save();
  }
  writeFileSync(PAGE, resultsPage(runs));
  const shown = runs.find(({ model, seed }) => model === PICTURED && seed === 0);
  if (!shown) return;
  await using model = new Autoencoder((await loadModel(fileOf(shown))).flow);
  const figure = await autoencoderFigure(model, { heldOut: images, shape: [28, 28, 1], values: 2 });
  writeFileSync(PICTURE, await svgToPng(figure, { scale: 1 }));
}

/** The bound of each image, and means over images in nats. */
async function estimate(flow: Flow, images: InMemoryDataset): Promise<Estimates & { bounds: Float64Array }> {
  await using model = new Autoencoder(flow);
  const bounds = new Float64Array(images.rows);
  for (let seed = 0; seed < BOUND_DRAWS; seed++) {
    const draw = await model.logProb(images.values, { samples: 1, seed, threads: 1 });
    draw.forEach((value, n) => {
      bounds[n]! += value / BOUND_DRAWS;
    });
  }
  const first = images.values.subarray(0, IMPORTANCE_IMAGES * images.features);
  const importance = await model.logProb(first, { samples: IMPORTANCE_DRAWS, threads: 1 });
  return {
    bounds,
    bound: mean(bounds),
    boundOfFirst: mean(bounds.subarray(0, IMPORTANCE_IMAGES)),
    importance: mean(importance),
  };
}

/** The mean of the differences of two bounds, and its standard error over images. */
function differenceOf(bounds: Float64Array, reference: Float64Array): Difference {
  const differences = bounds.map((bound, n) => bound - reference[n]!);
  return { mean: mean(differences), error: standardError(differences) };
}

function save(): void {
  writeFileSync(RESULTS, `${JSON.stringify(runs, undefined, 2)}\n`);
}
