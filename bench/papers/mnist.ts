import { join } from "node:path";
import { Random } from "../../src/random/index.ts";
import { readBytes } from "./files.ts";
import type { Rows } from "./rows.ts";

export const PIXELS = 784;
export const TRAINING_IMAGES = 50_000;
const ALPHA = 1e-6;

/** MNIST preprocessed as for MAF: x = logit(alpha + (1 - 2 alpha) (pixel + u) / 256) with u uniform on (0, 1). */
export interface Mnist {
  /** The first 50,000 images. */
  readonly train: Rows;
  /** The last 10,000 images of the training file. */
  readonly validation: Rows;
  readonly test: Rows;
}

export function loadMnist(data: string, seed: number): Mnist {
  const noise = new Random(seed).split("dequantize");
  const folder = join(data, "mnist");
  const images = readPixels(folder, "train");
  return {
    train: toLogits(images.subarray(0, TRAINING_IMAGES * PIXELS), noise.split("train")),
    validation: toLogits(images.subarray(TRAINING_IMAGES * PIXELS), noise.split("validation")),
    test: toLogits(readPixels(folder, "t10k"), noise.split("test")),
  };
}

/** The pixels of the training images, whose idx file is in four parts, or of the test images. */
export function readPixels(folder: string, name: "train" | "t10k"): Uint8Array {
  const file = `${name}-images-idx3-ubyte`;
  const parts = name === "train" ? [0, 1, 2, 3].map((k) => `${file}.part${k}.gz`) : [`${file}.gz`];
  return Buffer.concat(parts.map((part) => pixelsOf(readBytes(folder, part))));
}

/** The pixels of an idx3 file, after its header of 16 bytes: magic number, images, rows, columns. */
function pixelsOf(file: Uint8Array): Uint8Array {
  const header = new DataView(file.buffer, file.byteOffset);
  const [magic, images, rows, columns] = [0, 4, 8, 12].map((offset) => header.getUint32(offset));
  if (magic !== 0x803 || rows * columns !== PIXELS || file.length !== 16 + images * PIXELS) {
    throw new Error("The file is not an idx3 file of 28 x 28 images.");
  }
  return file.subarray(16);
}

function toLogits(bytes: Uint8Array, noise: Random): Rows {
  const values = noise.uniform(new Float64Array(bytes.length));
  for (let i = 0; i < bytes.length; i++) {
    const x = ALPHA + ((1 - 2 * ALPHA) * (bytes[i] + values[i])) / 256;
    values[i] = Math.log(x / (1 - x));
  }
  return { features: PIXELS, values };
}
