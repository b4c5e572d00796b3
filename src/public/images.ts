/** `pushforward/images`: files of images, in Node. */

export {
  encodePng,
  grayLevels,
  type ImageClasses,
  type ImageGridOptions,
  type ImageRowsOptions,
  type ImageSet,
  imageGrid,
  imageRows,
  type OpenImagesOptions,
  type Picture,
  withReflections,
} from "../images/files/index.ts";
export { openImages } from "../open/index.ts";
