/**
 * Compares bounds of the log-scale of affine couplings, and normalizations of RealNVP, in short training runs on MNIST:
 *
 *     npx tsx bench/images/couplings.ts [--images 500 --epochs 40 --only PATTERN] TRAINING_IMAGES...
 *
 * Prints the bits per dimension of the validation images, a tenth of the first images of the files. Training uses one thread.
 * bench/images/EXPERIMENTS.md has the results.
 */
import { parseArgs } from "node:util";
import type { InMemoryDataset } from "../../src/dataset/index.ts";
import { type Flow, glow, type RealNVPImageOptions, realNVP } from "../../src/flows/index.ts";
import { imageRows } from "../../src/images/files/index.ts";
import { bitsPerDimension } from "../../src/images/model/index.ts";
import type { ImageShape } from "../../src/nn/index.ts";
import { openImages } from "../../src/open/index.ts";
import { fit } from "../../src/train/index.ts";
import { table } from "../speed/table.ts";
import { PIXELS } from "./flows.ts";

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    images: { type: "string", default: "500" },
    epochs: { type: "string", default: "40" },
    only: { type: "string", default: "" },
  },
});

const image: ImageShape = [28, 28, 1];
const common = { image, dequantization: "uniform" as const, width: 32 };
const affine = (bound?: number) => ({ type: "affine" as const, ...(bound !== undefined && { bound }) });
const smallRealNVP = (others: Partial<RealNVPImageOptions>) => realNVP({ ...common, steps: 2, ...others });

const candidates: Record<string, () => Flow> = {};
for (const bound of [undefined, 3, 2, 1]) {
  const name = `bound ${bound ?? "log 1000"}`;
  const transform = affine(bound);
  candidates[`Glow, ${name}`] = () => glow({ ...common, steps: 4, transform });
  candidates[`Glow, gated networks, ${name}`] = () =>
    glow({ ...common, steps: 4, block: "gated", transform });
  candidates[`RealNVP without normalization, ${name}`] = () => smallRealNVP({ transform, batchNorm: false });
}
candidates["RealNVP, batch normalization"] = () => smallRealNVP({});
candidates["RealNVP, weight normalization"] = () => smallRealNVP({ batchNorm: false, weightNorm: true });
candidates["RealNVP, batch and weight normalization"] = () => smallRealNVP({ weightNorm: true });

const all = (await imageRows(await openImages(positionals), {
  maxNumbersInMemory: Number.POSITIVE_INFINITY,
})) as InMemoryDataset;
const training = all.values.subarray(0, Number(options.images) * PIXELS);

const rows: string[][] = [];
for (const [name, build] of Object.entries(candidates).filter(([name]) => name.includes(options.only))) {
  let result = "diverged";
  try {
    const { validationLogDensity } = await fit(build(), training, {
      epochs: Number(options.epochs),
      batchSize: 32,
      threads: 1,
      optimizer: { learningRate: 2e-3 },
      schedule: { type: "cosine" },
    });
    result = bitsPerDimension(validationLogDensity, PIXELS).toFixed(3);
  } catch (error) {
    if ((error as { code?: string }).code !== "NUMERIC") throw error;
  }
  rows.push([name, result]);
  console.error(name, result);
}
console.log(table(["", "validation"], rows));
