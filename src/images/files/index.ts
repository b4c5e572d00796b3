/** Image files as rows, and pictures of images. */

export { grayLevels, type ImageGridOptions, imageGrid } from "./grid.ts";
export { isIdx, openIdx } from "./idx.ts";
export {
  type ImageRows,
  type ImageRowsOptions,
  imageBlocks,
  imageRows,
  withReflections,
} from "./imageRows.ts";
export {
  classesOf,
  type ImageClasses,
  type ImageSet,
  imagesPerBlock,
  noClassesError,
  OPTION_SHAPE,
  type OpenImagesOptions,
  shapeText,
  skippedFilesText,
} from "./imageSet.ts";
export { nearestImages } from "./nearestImages.ts";
export { isNpy, openNpy, openNpz } from "./npy.ts";
export { imagesOfArrays, type NumberArray } from "./numberArrays.ts";
export {
  checkPictureShape,
  decodePicture,
  encodePng,
  isPicture,
  otherShape,
  type Picture,
} from "./pictureFile.ts";
export { isOtherPictureName, isPictureName, openPictures } from "./pictureFiles.ts";
export { type PixelSource, pixelsOf } from "./pixels.ts";
