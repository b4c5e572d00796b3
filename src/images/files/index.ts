export { grayLevels, type ImageGridOptions, imageGrid } from "./grid.ts";
export { type ImageRowsOptions, imageRows, withReflections } from "./imageRows.ts";
export type { ImageClasses, ImageSet, OpenImagesOptions } from "./imageSet.ts";
export { openImages } from "../../open/openImages.ts";
export { encodePng, type Picture } from "./pictureFile.ts";
