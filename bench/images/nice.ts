/**
 * Trains NICE on MNIST with the architecture of its paper (Dinh et al. 2015, section 5.1), and prints the mean log-density of the test images in
 * nats. As in the paper, densities are those of (pixel + u) / 256 with uniform noise u. The last 10,000 training images are for validation.
 *
 *     npx tsx bench/images/nice.ts --test IMAGES [--epochs N] [--minutes M] TRAINING_IMAGES...
 */
import { parseArgs } from "node:util";
import { DiagonalScaling } from "../../src/bijections/index.ts";
import { flatten } from "../../src/bijections/parts.ts";
import { InMemoryDataset } from "../../src/dataset/index.ts";
import { RunningMean } from "../../src/evaluate/runningMean.ts";
import { nice, parameterCount } from "../../src/flows/index.ts";
import { imageRows, openImages } from "../../src/images/index.ts";
import { Random } from "../../src/random/index.ts";
import { minimize } from "../../src/train/index.ts";
import { table } from "../speed/table.ts";

const PIXELS = 784;
const VALIDATION_IMAGES = 10_000;
/**
 * The flow has features (pixel + u) / 64. In the unit of the paper, 256, the smallest scales of pixels would exceed the bound of
 * `DiagonalScaling`.
 */
const UNIT = 64;

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    test: { type: "string" },
    epochs: { type: "string", default: "10" },
    minutes: { type: "string" },
  },
});
const epochs = Number(options.epochs);

async function readPixels(paths: string | string[]): Promise<Float64Array> {
  const rows = await imageRows(await openImages(paths), { maxNumbersInMemory: Number.POSITIVE_INFINITY });
  return (rows as InMemoryDataset).values;
}

const dataset = (values: Float64Array) => new InMemoryDataset({ features: PIXELS, values });
const pixels = await readPixels(positionals);
const cut = pixels.length - VALIDATION_IMAGES * PIXELS;
const training = pixels.subarray(0, cut);
const validation = pixels.subarray(cut);

const flow = nice(PIXELS, { transforms: 4, hidden: [1000, 1000, 1000, 1000, 1000] });
for (const { bijection } of flatten(flow.bijection)) {
  if (bijection instanceof DiagonalScaling) fitScales(bijection);
}

/** Gives each pixel the logistic distribution of its standard deviation in the training images. */
function fitScales({ logScale }: DiagonalScaling): void {
  const columns = Array.from({ length: PIXELS }, () => new RunningMean());
  training.forEach((pixel, i) => {
    columns[i % PIXELS]!.add(pixel / UNIT);
  });
  const noiseVariance = 1 / 12 / UNIT ** 2;
  const scales = columns.map(({ count, standardError }) =>
    Math.sqrt((count * standardError ** 2 + noiseVariance) * (3 / Math.PI ** 2)),
  );
  logScale.take(Float32Array.from(scales, Math.log));
}

/** The mean log-density of (pixel + u) / 256. */
async function evaluate(pixels: Float64Array, name: string): Promise<RunningMean> {
  const noise = new Random(0).split(name).uniform(new Float64Array(pixels.length));
  const logDensity = await flow.logProb(pixels.map((pixel, i) => (pixel + noise[i]!) / UNIT));
  return RunningMean.of(logDensity.map((each) => each + PIXELS * Math.log(256 / UNIT)));
}

const text = ({ mean, standardError }: RunningMean) => `${mean.toFixed(1)} ± ${standardError.toFixed(1)}`;
const rows: string[][] = [];
const start = process.cpuUsage();
const minutes = () => {
  const { user, system } = process.cpuUsage(start);
  return ((user + system) / 60e6).toFixed(1);
};
await minimize(
  ({ values, uniform }) => flow.logProb(values.add(uniform(PIXELS)).mul(1 / UNIT)).neg(),
  flow,
  dataset(training),
  {
    validation: dataset(validation),
    epochs,
    patience: epochs,
    ...(options.minutes !== undefined && { maxMinutes: Number(options.minutes) }),
    batchSize: 100,
    threads: 1,
    schedule: { type: "cosine" },
    onEpoch({ epoch, trainLoss, validationLoss }) {
      const [train, held] = [trainLoss, validationLoss!].map((loss) =>
        (PIXELS * Math.log(256 / UNIT) - loss).toFixed(1),
      );
      rows.push([String(epoch), minutes(), train!, held!]);
      console.error(...rows.at(-1)!);
    },
  },
);
console.log(`${parameterCount(flow).toLocaleString("en")} parameters\n`);
console.log(table(["epoch", "minutes", "training", "validation"], rows));
console.log(`\nTest images: ${text(await evaluate(await readPixels(options.test!), "test"))} nats`);
