/** `ImageModel`: probabilities, samples and latent spaces of images. */

export { bitsPerDimension } from "./bitsPerDimension.ts";
export type { ImageClassification } from "./classPosterior.ts";
export { ImageModel, type ImageOptions, type ImageSampleOptions } from "./imageModel.ts";
export { pixelHistograms } from "./pixelHistograms.ts";
