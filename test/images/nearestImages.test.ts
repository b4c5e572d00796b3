import { expect, test } from "vitest";
import { nearestImages } from "../../src/images/files/nearestImages.ts";
import { Random } from "../../src/random/index.ts";

test("finds the row of the smallest distance, and an image itself", () => {
  const random = new Random(1);
  const values = random.normal(new Float64Array(30 * 5));
  const images = random.split("images").normal(new Float64Array(4 * 5));
  const rows = { rows: 30, features: 5, values };
  const distance = (image: number, row: number) =>
    images.subarray(5 * image, 5 * image + 5).reduce((sum, x, d) => sum + (x - values[5 * row + d]!) ** 2, 0);
  const expected = [0, 1, 2, 3].map((image) =>
    Array.from({ length: 30 }, (_, row) => row).reduce((a, b) =>
      distance(image, b) < distance(image, a) ? b : a,
    ),
  );
  expect([...nearestImages(images, rows)]).toEqual(expected);
  expect([...nearestImages(values, rows)]).toEqual(Array.from({ length: 30 }, (_, i) => i));
});
