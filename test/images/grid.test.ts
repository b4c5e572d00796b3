import { expect, test } from "vitest";
import { encodePng, imageGrid } from "../../src/images/files/index.ts";
import { decodePicture } from "../../src/images/files/pictureFile.ts";
import { temporaryDirectory } from "../data/temporaryFiles.ts";

const { failure } = temporaryDirectory();

test("a grid has the images line by line, with a gap around each", async () => {
  // Three images of 1 x 2 pixels in two columns.
  const grid = imageGrid(Uint8Array.of(1, 2, 3, 4, 5, 6), [1, 2, 1], { columns: 2, gap: 1, scale: 1 });
  const gap = 232;
  expect(grid.shape).toEqual([5, 7, 1]);
  expect([...grid.pixels.slice(7, 14)]).toEqual([gap, 1, 2, gap, 3, 4, gap]);
  expect([...grid.pixels.slice(21, 28)]).toEqual([gap, 5, 6, gap, gap, gap, gap]);
  expect(await decodePicture(await encodePng(grid), "grid.png")).toEqual(grid);
});

test("a picture has all its pixels, and one channel or three", async () => {
  expect(await failure(() => imageGrid(new Uint8Array(7), [2, 2, 1]))).toMatchInlineSnapshot(
    `"ARGUMENT the pixels are not those of whole images: expected a positive multiple of 4 numbers, received 7."`,
  );
  expect(await failure(() => imageGrid(new Uint8Array(0), [2, 2, 1]))).toMatchInlineSnapshot(
    `"ARGUMENT there are no images to draw: expected a positive multiple of 4 numbers, received 0."`,
  );
  expect(await failure(encodePng({ shape: [2, 2, 1], pixels: new Uint8Array(3) }))).toMatchInlineSnapshot(
    `"ARGUMENT the number of pixels does not match the shape 2 x 2 x 1: expected 4 numbers, received 3."`,
  );
  expect(await failure(encodePng({ shape: [2, 2, 2], pixels: new Uint8Array(8) }))).toMatchInlineSnapshot(`
    "ARGUMENT Images with 2 channels cannot be written as pictures: expected one channel, which is gray, or three: red, green and blue.
    In TypeScript, ImageModel.sample returns the pixels of any number of channels."
  `);
});
