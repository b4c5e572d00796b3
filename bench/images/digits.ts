/**
 * Measures bits per dimension of flows of the 8 x 8 digits in examples/data, on 300 test images:
 *
 *     npx tsx bench/images/digits.ts
 *
 * It prints the table of these digits in bench/images/RESULTS.md. Training uses one thread, so that each run has the same results.
 */

import { type Flow, glow, parameterCount, realNVP, tarflow } from "../../src/flows/index.ts";
import { bitsPerDimension, ImageModel } from "../../src/images/model/index.ts";
import type { ImageShape } from "../../src/nn/index.ts";
import { mean } from "../../src/numerics/mean.ts";
import { fit } from "../../src/train/index.ts";
import { table } from "../speed/table.ts";
import { DIGIT_PIXELS, DIGIT_VALUES, readDigits } from "./readDigits.ts";

/** The numbers of draws of noise per image in the estimates of log-probabilities. */
const DRAWS = [1, 8];
/** Seed of the split into training and test images. */
const SEED = 1;

const image: ImageShape = [8, 8, 1];
const common = { image, values: DIGIT_VALUES, dequantization: "uniform" as const };
const spline = { type: "rationalQuadraticSpline" as const, bins: 6 };

const glowOptions = { ...common, steps: 4, width: 32 };

/** Functions that build distributions of whole pixels, by the name in the table. */
const candidates: Readonly<Record<string, () => Flow>> = {
  Glow: () => glow(glowOptions),
  "Glow, variational dequantization": () => glow({ ...glowOptions, dequantization: "variational" }),
  "Glow, gated networks": () => glow({ ...glowOptions, block: "gated" }),
  "Glow, splines": () => glow({ ...glowOptions, transform: spline }),
  "RealNVP, one level": () => realNVP({ ...common, levels: 1, width: 16, blocks: 1 }),
  "TarFlow, patches of 2 x 2": () => tarflow({ ...common, patch: 2, transforms: 6, layers: 1, width: 32 }),
};

const { test, train } = readDigits(SEED);
const testPixels = Float64Array.from(test.pixels.flat());

const rows: string[][] = [];
for (const [name, build] of Object.entries(candidates)) {
  const flow = build();
  await fit(flow, train.pixels, {
    epochs: 30,
    batchSize: 64,
    threads: 1,
    optimizer: { learningRate: 3e-3 },
    schedule: { type: "cosine" },
  });
  const bits: string[] = [];
  for (const samples of DRAWS) {
    const logProb = await new ImageModel({ flow, shape: image }).withDraws(samples).logProb(testPixels);
    bits.push(bitsPerDimension(mean(logProb), DIGIT_PIXELS).toFixed(3));
  }
  rows.push([name, parameterCount(flow).toLocaleString("en"), ...bits]);
  console.error(name, ...bits);
}
console.log(table(["", "parameters", ...DRAWS.map((k) => `${k} draw${k > 1 ? "s" : ""}`)], rows));
