import { Random } from "../../src/random/index.ts";
import { readBytes } from "./files.ts";
import type { Rows } from "./rows.ts";

const PIXELS = 784;
const TRAIN = 50_000;
const ALPHA = 1e-6;

/** MNIST as MAF prepares it: x = logit(alpha + (1 - 2 alpha) (pixel + u) / 256), u uniform on (0, 1). */
export interface Mnist {
  /** The first 50,000 images. */
  readonly train: Rows;
  /** The other 10,000 of the training file. */
  readonly validation: Rows;
  readonly test: Rows;
}

export function loadMnist(data: string, seed: number): Mnist {
  const noise = new Random(seed).split("dequantize");
  const files = [0, 1, 2, 3].map((k) => `train-images-idx3-ubyte.part${k}.gz`);
  const parts = files.map((file) => pixels(readBytes(data, "mnist", file)));
  const images = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    images.set(part, at);
    at += part.length;
  }
  const test = pixels(readBytes(data, "mnist", "t10k-images-idx3-ubyte.gz"));
  return {
    train: inLogits(images.subarray(0, TRAIN * PIXELS), noise.split("train")),
    validation: inLogits(images.subarray(TRAIN * PIXELS), noise.split("validation")),
    test: inLogits(test, noise.split("test")),
  };
}

/** What follows the 16 bytes of an idx3 header: magic, images, rows, columns. */
function pixels(file: Uint8Array): Uint8Array {
  const header = new DataView(file.buffer, file.byteOffset);
  const [magic, images, rows, columns] = [0, 4, 8, 12].map((offset) => header.getUint32(offset));
  if (magic !== 0x803 || rows * columns !== PIXELS || file.length !== 16 + images * PIXELS) {
    throw new Error("The file is no set of 28 x 28 images.");
  }
  return file.subarray(16);
}

function inLogits(bytes: Uint8Array, noise: Random): Rows {
  const values = noise.uniform(new Float64Array(bytes.length));
  for (let i = 0; i < bytes.length; i++) {
    const x = ALPHA + ((1 - 2 * ALPHA) * (bytes[i] + values[i])) / 256;
    values[i] = Math.log(x / (1 - x));
  }
  return { features: PIXELS, values };
}
