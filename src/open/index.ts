/** What needs several wings: files of models and of images of any kind. */

export { loadModel, saveModel } from "./modelFiles.ts";
export { isImagePath, openImages } from "./openImages.ts";
