import { dataset, type InMemoryDataset } from "../../src/dataset/index.ts";
import { Random } from "../../src/random/index.ts";
import { PIXELS, readPixels, TRAINING_IMAGES } from "../papers/mnist.ts";

/** The images are binarized once, with this seed. The files of the published binarization are not used. */
const BINARIZATION_SEED = 0;

/** Binarized MNIST: the first 50,000 training images, and the last 10,000 as validation images. */
export function trainingImages(folder: string): { training: InMemoryDataset; validation: InMemoryDataset } {
  const pixels = binarized(folder, "train");
  return {
    training: images(pixels.subarray(0, TRAINING_IMAGES * PIXELS)),
    validation: images(pixels.subarray(TRAINING_IMAGES * PIXELS)),
  };
}

/** The 10,000 test images, binarized. */
export const testImages = (folder: string): InMemoryDataset => images(binarized(folder, "t10k"));

const images = (values: Float64Array): InMemoryDataset => dataset(values, { features: PIXELS });

/** Each pixel is 1 with a probability of its gray level / 255 (Salakhutdinov and Murray 2008). */
function binarized(folder: string, name: "train" | "t10k"): Float64Array {
  const pixels = readPixels(folder, name);
  const uniform = new Random(BINARIZATION_SEED).split(name).uniform(new Float64Array(pixels.length));
  return uniform.map((u, i) => (u < pixels[i]! / 255 ? 1 : 0));
}
