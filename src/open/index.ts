/** What needs several wings: model files, images and descriptions of any kind. */

export { loadModel, saveModel } from "./modelFiles.ts";
export { isImagePath, openImages } from "./openImages.ts";
