import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { Random } from "../../src/random/index.ts";

/** Images of 8 x 8 pixels with the values 0 to 16, and the digit that each shows. */
export interface Digits {
  readonly pixels: readonly number[][];
  readonly labels: readonly number[];
}

export const DIGIT_PIXELS = 64;
export const DIGIT_VALUES = 17;
const TEST_IMAGES = 300;

/** The digits of examples/data, split at random into 300 test images and 1,497 training images. */
export function readDigits(seed: number): { readonly test: Digits; readonly train: Digits } {
  const file = new URL("../../examples/data/digits.csv.gz", import.meta.url);
  const lines = gunzipSync(readFileSync(file)).toString().trim().split("\n");
  const rows = lines.map((line) => line.split(",").map(Number));
  const order = new Random(seed).permutation(rows.length);
  const digits = (indices: Int32Array): Digits => ({
    pixels: Array.from(indices, (i) => rows[i]!.slice(0, DIGIT_PIXELS)),
    labels: Array.from(indices, (i) => rows[i]![DIGIT_PIXELS]!),
  });
  return { test: digits(order.subarray(0, TEST_IMAGES)), train: digits(order.subarray(TEST_IMAGES)) };
}
