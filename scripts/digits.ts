/**
 * Trains a Glow of the 8 x 8 digits in examples/data, with their classes, and draws docs/images/digits.png: `npx tsx
 * scripts/digits.ts`. It takes about half a minute.
 */
import { writeFileSync } from "node:fs";
import { DIGIT_PIXELS, DIGIT_VALUES, readDigits } from "../bench/images/readDigits.ts";
import { bitsPerDimension } from "../src/evaluate/index.ts";
import { dequantize, glow } from "../src/flows/index.ts";
import { Random } from "../src/random/index.ts";
import { svgToPng } from "../src/report/png.ts";
import { style } from "../src/report/style.ts";
import { fit } from "../src/train/index.ts";

const SIDE = 8;
const CLASSES = 10;
const EPOCHS = 60;
const SAMPLES = 8;

const { test, train } = readDigits(0);
const testImages = (label: number) => test.pixels.filter((_, i) => test.labels[i] === label);
const columnOf = (labels: readonly number[]) => labels.map((label) => [label]);

const flow = glow({ image: [SIDE, SIDE, 1], values: DIGIT_VALUES, classes: CLASSES, width: 48, steps: 8 });
await fit(dequantize(flow), train.pixels, {
  context: columnOf(train.labels),
  epochs: EPOCHS,
  batchSize: 64,
  // Another number of threads rounds differently.
  threads: 1,
  optimizer: { learningRate: 2e-3 },
  schedule: { type: "cosine" },
  onEpoch: ({ epoch, validationLogDensity }) => {
    console.log(
      `epoch ${epoch}: ${bitsPerDimension(validationLogDensity, DIGIT_PIXELS).toFixed(3)} bits per dimension`,
    );
  },
});
const logProb = await dequantize(flow, { samples: SAMPLES }).logProb(test.pixels, columnOf(test.labels));
const mean = logProb.reduce((sum, each) => sum + each) / logProb.length;
console.log(
  `${logProb.length} test images: ${bitsPerDimension(mean, DIGIT_PIXELS).toFixed(3)} bits per dimension, ${SAMPLES} draws of noise`,
);

/** Images of latent rows and labels, as whole numbers. */
async function imagesOf(latent: readonly number[][], labels: readonly number[]): Promise<number[][]> {
  const rows = await flow.toData(latent, columnOf(labels), { as: "rows" });
  return rows.map((row) => row.map((value) => Math.min(DIGIT_VALUES - 1, Math.max(0, Math.floor(value)))));
}

const random = new Random(5);
const latentOf = (name: string, scale = 1) =>
  Array.from(random.split(name).normal(new Float64Array(DIGIT_PIXELS)), (value) => scale * value);
const classes = Array.from({ length: CLASSES }, (_, label) => label);

const samples = (name: string, temperature: number) =>
  imagesOf(
    classes.map((label) => latentOf(`${name} ${label}`, temperature)),
    classes,
  );

/** Ten images on a straight line between the latent rows of two digits of a class. */
async function interpolation(label: number): Promise<number[][]> {
  const ends = testImages(label).slice(0, 2);
  const latent = await flow.toLatent(
    ends.map((image) => image.map((value) => value + 0.5)),
    [label],
    { as: "rows" },
  );
  const between = Array.from({ length: 10 }, (_, i) =>
    latent[0]!.map((z, k) => z + (i / 9) * (latent[1]![k]! - z)),
  );
  return imagesOf(between, new Array(10).fill(label));
}

/** Samples of a class that share the latent variables of one level. Those of `level` are drawn again for each sample. */
async function resampled(label: number, level: "first" | "last"): Promise<number[][]> {
  const shared = latentOf(`shared ${label}`, 0.8);
  // The latent variables of the last level are the first half.
  const isShared = (k: number) => k < DIGIT_PIXELS / 2 === (level === "first");
  const latent = classes.map((i) =>
    latentOf(`${level} ${label} ${i}`, 0.8).map((z, k) => (i === 0 || isShared(k) ? shared[k]! : z)),
  );
  return imagesOf(latent, new Array(CLASSES).fill(label));
}

const groups: readonly (readonly [string, readonly number[][][]])[] = [
  ["test images", [0, 1].map((i) => classes.map((label) => testImages(label)[i]!))],
  ["samples", await Promise.all([0, 1, 2].map((i) => samples(`sample ${i}`, 1)))],
  ["temperature 0.7", await Promise.all([0, 1].map((i) => samples(`cool ${i}`, 0.7)))],
  ["interpolation", await Promise.all([3, 4].map(interpolation))],
  ["first level resampled", await Promise.all([2, 9].map((label) => resampled(label, "first")))],
  ["last level resampled", await Promise.all([2, 9].map((label) => resampled(label, "last")))],
];

const CELL = 4;
const GAP = 4;
const LABEL_WIDTH = 150;
const step = SIDE * CELL + GAP;

function drawImage(image: readonly number[], left: number, top: number): string {
  const rects = image.map((value, i) => {
    const shade = Math.round(255 * (1 - value / (DIGIT_VALUES - 1)));
    const [x, y] = [left + CELL * (i % SIDE), top + CELL * Math.floor(i / SIDE)];
    return `<rect x="${x}" y="${y}" width="${CELL}" height="${CELL}" fill="rgb(${shade},${shade},${shade})"/>`;
  });
  return rects.join("");
}

let top = GAP;
const parts: string[] = [];
for (const [label, rows] of groups) {
  const middle = top + (rows.length * step - GAP) / 2 + 4;
  parts.push(
    `<text x="${LABEL_WIDTH - 8}" y="${middle}" text-anchor="end" font-family="${style.fontFamily}" font-size="12" fill="${style.muted}">${label}</text>`,
  );
  for (const row of rows) {
    row.forEach((image, i) => {
      parts.push(drawImage(image, LABEL_WIDTH + i * step, top));
    });
    top += step;
  }
  top += 2 * GAP;
}
const width = LABEL_WIDTH + CLASSES * step;
const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${top}"><rect width="${width}" height="${top}" fill="#e8ebef"/>${parts.join("")}</svg>`;
writeFileSync("docs/images/digits.png", await svgToPng(svg, { scale: 1 }));
await flow.release();
