import { readFileSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { beforeAll, expect, test } from "vitest";
import { readDigits } from "../../bench/images/readDigits.ts";
import { bitsPerDimension, ImageModel } from "../../src/images/model/index.ts";
import { decodeModel } from "../../src/tables/model/index.ts";
import { temporaryDirectory } from "../data/temporaryFiles.ts";
import { findChromium } from "./chromium.ts";
import { bundle, visit } from "./site.ts";

const MODEL = fileURLToPath(new URL("../../bench/images/digits.safetensors", import.meta.url));
/** The maximum size of the model file, which a page has to load. */
const MAX_BYTES = 5_000_000;
/** The maximum time for one image, in milliseconds. */
const MAX_TIME = 100;

const { test: digits } = readDigits(0);
const pixels = digits.pixels.slice(0, 20);
const classes = digits.labels.slice(0, 20);
const folder = temporaryDirectory().path("");
const chromium = findChromium();

beforeAll(async () => {
  if (chromium) await bundle("images", { outDir: folder, emptyOutDir: true });
});

const model = async () => ImageModel.from(await decodeModel(readFileSync(MODEL)));

test("the model of digits that scripts/digits.ts trained is small, and describes digits that it has not seen", async () => {
  expect(statSync(MODEL).size).toBeLessThan(MAX_BYTES);
  const logProb = await (await model()).logProb(Float64Array.from(digits.pixels.flat()), {
    classes: digits.labels,
  });
  const mean = logProb.reduce((sum, each) => sum + each) / logProb.length;
  // Independent histograms of the pixels have 2.43.
  expect(bitsPerDimension(mean, 64)).toBeLessThan(2.1);
});

test("Bayes' rule with its densities recognizes most digits", async () => {
  await using images = await model();
  const rows = Float64Array.from(digits.pixels.slice(0, 100).flat());
  const scores = await Promise.all(
    Array.from({ length: 10 }, (_, label) =>
      images.logProb(rows, { classes: new Array<number>(100).fill(label) }),
    ),
  );
  const recognized = digits.labels.slice(0, 100).filter((label, i) => {
    const best = scores.reduce((a, score, k) => (score[i]! > scores[a]![i]! ? k : a), 0);
    return best === label;
  });
  expect(recognized.length).toBeGreaterThan(80);
});

test.skipIf(!chromium)(
  `a page scores and draws each image in less than ${MAX_TIME} ms, as Node does`,
  async () => {
    const bytes = [...readFileSync(MODEL)];
    const act = ([bytes, pixels, classes]: readonly [number[], number[], number[]]) =>
      window.useImages(bytes, pixels, classes);
    const { result, problems } = await visit(chromium!, folder, act, [
      bytes,
      pixels.flat(),
      classes,
    ] as const);
    expect(problems).toEqual([]);
    await using images = await model();
    const logProb = await images.logProb(Float64Array.from(pixels.flat()), { classes });
    result.logProb.forEach((value, i) => {
      expect(value).toBeCloseTo(logProb[i]!, 2);
    });
    // A number that rounds differently may be on the other side of an integer.
    const samples = await images.sample(20, { seed: 3, temperature: 0.8, classes });
    const different = result.samples.filter((value, i) => value !== samples[i]).length;
    expect(different).toBeLessThan(5);
    console.log(
      `A page scores an image in ${result.scoring.toFixed(1)} ms and draws one in ${result.drawing.toFixed(1)} ms.`,
    );
    expect(result.scoring).toBeLessThan(MAX_TIME);
    expect(result.drawing).toBeLessThan(MAX_TIME);
  },
);
