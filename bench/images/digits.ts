/**
 * Measures bits per dimension of flows of the 8 x 8 digits in examples/data, on 300 test images:
 *
 *     npx tsx bench/images/digits.ts
 *
 * It prints the table of bench/images/RESULTS.md. Training uses one thread, so that each run has the same results.
 */
import { Chain, ImageCoupling, Sigmoid } from "../../src/bijections/index.ts";
import { bitsPerDimension } from "../../src/evaluate/index.ts";
import { dequantize, type Flow, glow, realNVP, tarflow } from "../../src/flows/index.ts";
import type { ImageShape } from "../../src/nn/index.ts";
import { Random } from "../../src/random/index.ts";
import { fit } from "../../src/train/index.ts";
import { table } from "../speed/table.ts";
import { DIGIT_PIXELS, DIGIT_VALUES, readDigits } from "./readDigits.ts";

/** The numbers of draws of noise per image in the estimates of log-probabilities. */
const DRAWS = [1, 8];
/** Seed of the split into training and test images. */
const SEED = 1;

const image: ImageShape = [8, 8, 1];
const common = { image, values: DIGIT_VALUES };
const spline = { type: "rationalQuadraticSpline" as const, bins: 6 };

const { test, train } = readDigits(SEED);

/** A variational dequantizer: two couplings with the image as their context, then a sigmoid. */
const variational = () =>
  new Chain([
    ...[false, true].map(
      (inverted, i) =>
        new ImageCoupling(
          { image, mask: "checkerboard", inverted, context: image, network: { width: 16 } },
          new Random(i),
        ),
    ),
    new Sigmoid({ features: DIGIT_PIXELS }),
  ]);

interface Candidate {
  readonly name: string;
  build(): Flow;
  readonly dequantizer?: () => Chain;
}

const candidates: readonly Candidate[] = [
  { name: "Glow", build: () => glow({ ...common, steps: 4, width: 32 }) },
  {
    name: "Glow, variational dequantization",
    build: () => glow({ ...common, steps: 4, width: 32 }),
    dequantizer: variational,
  },
  { name: "Glow, gated networks", build: () => glow({ ...common, steps: 4, width: 32, block: "gated" }) },
  { name: "Glow, splines", build: () => glow({ ...common, steps: 4, width: 32, transform: spline }) },
  { name: "RealNVP, one level", build: () => realNVP({ ...common, levels: 1, width: 16, blocks: 1 }) },
  {
    name: "TarFlow, patches of 2 x 2",
    build: () => tarflow({ ...common, patch: 2, transforms: 6, layers: 1, width: 32 }),
  },
];

const rows: string[][] = [];
for (const { name, build, dequantizer } of candidates) {
  const flow = build();
  const noiseOptions = dequantizer && { dequantizer: dequantizer() };
  const model = dequantize(flow, noiseOptions);
  await fit(model, train.pixels, {
    epochs: 30,
    batchSize: 64,
    threads: 1,
    optimizer: { learningRate: 3e-3 },
    schedule: { type: "cosine" },
  });
  const bits: string[] = [];
  for (const samples of DRAWS) {
    // This shares the trained parameters of `model`, with another number of draws.
    const logProb = await dequantize(flow, { ...noiseOptions, samples }).logProb(test.pixels);
    const mean = logProb.reduce((sum, each) => sum + each) / logProb.length;
    bits.push(bitsPerDimension(mean, DIGIT_PIXELS).toFixed(3));
  }
  const parameters = [...model.parameters().values()].reduce((sum, { numbers }) => sum + numbers.length, 0);
  rows.push([name, parameters.toLocaleString("en"), ...bits]);
  console.error(name, ...bits);
}
console.log(table(["", "parameters", ...DRAWS.map((k) => `${k} draw${k > 1 ? "s" : ""}`)], rows));
