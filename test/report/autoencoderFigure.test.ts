import { expect, test } from "vitest";
import { dataset } from "../../src/dataset/index.ts";
import { Autoencoder, vae } from "../../src/flows/index.ts";
import { decodePicture } from "../../src/images/files/pictureFile.ts";
import { autoencoderFigure } from "../../src/report/index.ts";

const images = dataset(
  Array.from({ length: 12 }, (_, n) => Array.from({ length: 16 }, (_, i) => (n + i) % 2)),
);

test("the figure of an autoencoder has held-out images, samples and latent walks, drawn from its seed", async () => {
  await using model = new Autoencoder(vae(16, { values: 2, latent: 2, hidden: [4] }));
  const draw = (seed: number) =>
    autoencoderFigure(model, { heldOut: images, shape: [4, 4, 1], values: 2, seed, threads: 1 });
  const svg = await draw(1);
  const labels = Array.from(svg.matchAll(/<text[^>]*>([^<]*)</g), ([, text]) => text);
  expect(labels.join("|")).toMatchInlineSnapshot(
    `"a held-out image, and|below it its reconstruction|samples|temperature 0.7|latent walks"`,
  );
  expect(await draw(1)).toBe(svg);
  expect(await draw(2)).not.toBe(svg);
  // The first line of the first group is the held-out images: ten squares and gaps of three pixels.
  const [, first] = /base64,([^"]*)"/.exec(svg)!;
  const { shape, pixels } = await decodePicture(Buffer.from(first!, "base64"), "the group");
  const scale = (shape[1] - 3 * 11) / 40;
  const levels = Array.from({ length: 4 }, (_, x) => pixels[3 * shape[1] + 3 + x * scale]);
  expect(levels).toEqual([0, 255, 0, 255]);
});

test("centers of a Gaussian decoder outside of the range of gray levels become black and white", async () => {
  const flow = vae(16, { latent: 2, hidden: [4] });
  await using model = new Autoencoder(flow);
  flow.parameters().get("base.decoder.mean")!.value.fill(-5).fill(6, 8);
  const svg = await autoencoderFigure(model, { heldOut: images, shape: [4, 4, 1], values: 2, threads: 1 });
  const [, , samples] = [...svg.matchAll(/base64,([^"]*)"/g)].map(([, text]) => Buffer.from(text!, "base64"));
  const { pixels } = await decodePicture(samples!, "the group");
  // 232 is the gray level between images.
  expect([...new Set(pixels)].sort((a, b) => a - b)).toEqual([0, 232, 255]);
});
