import { expect, test } from "vitest";
import { dataset } from "../../src/dataset/index.ts";
import { dequantize, glow } from "../../src/flows/index.ts";
import { decodePicture } from "../../src/images/files/pictureFile.ts";
import { ImageModel } from "../../src/images/model/index.ts";
import { imageFigure } from "../../src/report/index.ts";

const SIZE = 16;
const rows = Array.from({ length: 12 }, (_, n) =>
  Array.from({ length: SIZE }, (_, i) => (31 * n + 17 * i) % 64),
);
const flow = dequantize(glow({ image: [4, 4, 1], values: 64, classes: 2, levels: 2, steps: 1, width: 4 }));
const images = dataset(rows, { context: rows.map((_, n) => [n % 2]) });

test("the figure of a model of images has held-out images, samples and each level, drawn from its seed", async () => {
  await using model = new ImageModel({ flow, shape: [4, 4, 1], classes: ["even", "odd"] });
  const draw = (seed: number) => imageFigure(model, { training: images, heldOut: images, seed, threads: 1 });
  const svg = await draw(1);
  const labels = Array.from(svg.matchAll(/<text[^>]*>([^<]*)</g), ([, text]) => text);
  expect(labels.join("|")).toMatchInlineSnapshot(
    `"held-out images|samples|temperature 0.8|temperature 0.6|a sample, and below it the|nearest training image|a held-out image, and|below it its reconstruction|interpolations|level 2, the coarsest,|drawn again|level 1, the finest, drawn|again"`,
  );
  expect(await draw(1)).toBe(svg);
  expect(await draw(2)).not.toBe(svg);
});

test("a model with few classes has about ten columns, so that the figure is not much higher than wide", async () => {
  await using model = new ImageModel({ flow, shape: [4, 4, 1], classes: ["even", "odd"] });
  const svg = await imageFigure(model, { training: images, heldOut: images, threads: 1 });
  const [, width, height] = /viewBox="0 0 (\d+) (\d+)"/.exec(svg)!;
  expect(Number(height) / Number(width)).toBeLessThan(1.5);
});

test("a reconstruction is the image", async () => {
  await using model = new ImageModel({ flow, shape: [4, 4, 1], classes: ["even", "odd"] });
  const svg = await imageFigure(model, { training: images, heldOut: images, threads: 1 });
  const pictures = Array.from(svg.matchAll(/base64,([^"]*)"/g), ([, text]) => Buffer.from(text!, "base64"));
  // The group of reconstructions: the upper line has the images, the lower line the reconstructions.
  const { shape, pixels } = await decodePicture(pictures[5]!, "the group");
  const half = ((shape[0] - 3) / 2) * shape[1];
  expect(pixels.subarray(half, 2 * half)).toEqual(pixels.subarray(0, half));
});
