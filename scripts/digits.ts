/**
 * Trains a Glow of the 8 x 8 digits in examples/data, conditional on the digit: `npx tsx scripts/digits.ts`. It writes the model to
 * bench/images/digits.safetensors and a picture to docs/images/digits.png, and takes about half a minute.
 */
import { writeFileSync } from "node:fs";
import { DIGIT_PIXELS, DIGIT_VALUES, readDigits } from "../bench/images/readDigits.ts";
import { dataset } from "../src/dataset/index.ts";
import { dequantize, glow } from "../src/flows/index.ts";
import { bitsPerDimension, ImageModel } from "../src/images/model/index.ts";
import { saveModel } from "../src/open/index.ts";
import { imageFigure } from "../src/report/index.ts";
import { svgToPng } from "../src/report/png.ts";
import { fit } from "../src/train/index.ts";

const SIDE = 8;
const CLASSES = 10;
const EPOCHS = 60;
const DRAWS = 8;

const { test, train } = readDigits(0);
const rowsOf = ({ pixels, labels }: typeof test) =>
  dataset(pixels, { context: labels.map((label) => [label]) });
const [training, heldOut] = [rowsOf(train), rowsOf(test)];

const flow = dequantize(
  glow({ image: [SIDE, SIDE, 1], values: DIGIT_VALUES, classes: CLASSES, width: 48, steps: 8 }),
);
await fit(flow, training, {
  epochs: EPOCHS,
  batchSize: 64,
  // Another number of threads rounds differently, and would give a different model.
  threads: 1,
  optimizer: { learningRate: 2e-3 },
  schedule: { type: "cosine" },
  onEpoch: ({ epoch, validationLogDensity }) => {
    console.log(
      `epoch ${epoch}: ${bitsPerDimension(validationLogDensity, DIGIT_PIXELS).toFixed(3)} bits per dimension`,
    );
  },
});
const classes = Array.from({ length: CLASSES }, (_, label) => String(label));
await using model = new ImageModel({ flow, shape: [SIDE, SIDE, 1], classes });
const logProb = await model.withDraws(DRAWS).logProb(heldOut.values, { classes: heldOut.context });
const mean = logProb.reduce((sum, each) => sum + each) / logProb.length;
console.log(
  `${logProb.length} test images: ${bitsPerDimension(mean, DIGIT_PIXELS).toFixed(3)} bits per dimension, ${DRAWS} draws of noise`,
);
await saveModel("bench/images/digits.safetensors", {
  flow,
  image: [SIDE, SIDE, 1],
  given: ["class"],
  labels: [classes],
});
writeFileSync(
  "docs/images/digits.png",
  await svgToPng(await imageFigure(model, { training, heldOut, seed: 5 }), { scale: 1 }),
);
