import { describe, expect, test, vi } from "vitest";
import { InMemoryDataset, StreamedDataset } from "../../src/dataset/index.ts";
import { glow } from "../../src/flows/index.ts";
import { grayLevels } from "../../src/images/files/grid.ts";
import { imageBlocks } from "../../src/images/files/imageRows.ts";
import { type ImageSet, imageRows, withReflections } from "../../src/images/files/index.ts";
import type { ImageShape } from "../../src/nn/index.ts";
import { Random } from "../../src/random/index.ts";
import { fit } from "../../src/train/index.ts";

const COUNT = 150;
const SIZE = 32;
const shape: ImageShape = [4, 8, 1];
/** Pixel i of image n; 0 and 255 occur. */
const pixels = Uint8Array.from(new Random(0).uniform(new Float64Array(COUNT * SIZE)), (u, i) =>
  Math.floor(256 * u ** (1 + Math.floor(i / SIZE) / COUNT)),
);

/** Images in blocks of a Buffer, as a file gives them. */
const images: ImageSet = {
  source: "images",
  shape,
  count: COUNT,
  nameOf: (image) => `image ${image}`,
  async *blocks() {
    const bytes = Buffer.from(pixels);
    for (let start = 0; start < bytes.length; start += 40 * SIZE)
      yield bytes.subarray(start, start + 40 * SIZE);
  },
  close: async () => {},
};

/** The same rows in float64. */
const inFloat64 = (block: InMemoryDataset) => block.with({ values: block.values });

describe.each([
  ["in memory", undefined],
  ["in a stream", 0],
])("images %s", (_, maxNumbersInMemory) => {
  const rowsOf = () => imageRows(images, maxNumbersInMemory === undefined ? {} : { maxNumbersInMemory });

  test("are stored in bytes and have their exact pixels", async () => {
    const { sample } = await rowsOf();
    expect(sample.storedValues.constructor).toBe(Uint8Array);
    expect(sample.values).toEqual(Float64Array.from(pixels));
    expect(sample.select([7, 2]).values).toEqual(
      Float64Array.of(...pixels.subarray(7 * SIZE, 8 * SIZE), ...pixels.subarray(2 * SIZE, 3 * SIZE)),
    );
  });

  test("occur once in each epoch", async () => {
    const { epoch } = (await rowsOf()).batches({ batchSize: 16, seed: 0 });
    for (const number of [1, 2]) {
      const seen: number[] = [];
      for await (const { rows, indices } of epoch(number)) {
        const batch = rows.select(indices);
        for (const [i, image] of batch.rowNumbers.entries()) {
          seen.push(image);
          expect([...batch.values.subarray(i * SIZE, (i + 1) * SIZE)]).toEqual([
            ...pixels.subarray(image * SIZE, (image + 1) * SIZE),
          ]);
        }
      }
      expect(seen.toSorted((a, b) => a - b)).toEqual(Array.from({ length: COUNT }, (_, i) => i));
      expect(seen).not.toEqual(seen.toSorted((a, b) => a - b));
    }
  });

  test("give the same training as in float64", async () => {
    const bytes = await rowsOf();
    const floats =
      bytes instanceof InMemoryDataset
        ? inFloat64(bytes)
        : await StreamedDataset.of(async function* () {
            for await (const block of imageBlocks(images)) yield inFloat64(block);
          });
    const [one, other] = [bytes, floats].map(async (rows) => {
      const flow = glow({ image: shape, levels: 1, steps: 2, width: 8, dequantization: "uniform" });
      const { epochs } = await fit(flow, rows, { epochs: 2, batchSize: 32, threads: 1 });
      return { epochs, weights: [...flow.parameters().values()].map(({ value }) => value) };
    });
    expect(await one).toEqual(await other);
  });
});

test("reflections of a stream are sampled with the seed", async () => {
  const rows = await imageRows(images, { maxNumbersInMemory: 0, seed: 5 });
  const stream = vi.spyOn(StreamedDataset, "of");
  const reflected = await withReflections(rows, shape, { seed: 5 });
  expect(stream).toHaveBeenCalledWith(expect.anything(), { seed: 5 });
  vi.restoreAllMocks();
  expect(reflected.rows).toBe(2 * COUNT);
});

describe("pictures whose pixels have fewer values than 256", () => {
  const pictures = (bytes: Uint8Array): ImageSet => ({
    ...images,
    count: 2,
    isFullRange: true,
    async *blocks() {
      yield bytes.slice();
    },
  });

  test("have the gray levels that are drawn for these values", async () => {
    for (const values of [2, 16, 17, 255]) {
      const whole = Uint8Array.from({ length: 2 * SIZE }, (_, i) => (7 * i) % values);
      const rows = await imageRows(pictures(grayLevels(whole, values)), { values });
      expect(rows.sample.values).toEqual(Float64Array.from(whole));
    }
  });

  test("are an error at another gray level", async () => {
    const bytes = new Uint8Array(2 * SIZE);
    bytes[SIZE + 3] = 100;
    await expect(imageRows(pictures(bytes), { values: 17 })).rejects.toThrowErrorMatchingInlineSnapshot(`
      [PushforwardError: image 1 has the pixel value 100: expected the 17 gray levels 0, 16, 32 ... 255.
      Fit the model with 256 values of a pixel, the default (--values 256, or the option values).]
    `);
    await expect(imageRows(pictures(bytes), { values: 2 })).rejects.toThrowErrorMatchingInlineSnapshot(`
      [PushforwardError: image 1 has the pixel value 100: expected the 2 gray levels 0, 255.
      Fit the model with 256 values of a pixel, the default (--values 256, or the option values).]
    `);
  });
});
