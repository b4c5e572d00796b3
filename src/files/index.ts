export { checkWritable, writeFileAtomically } from "./atomicFile.ts";
export { loadModel, saveModel } from "./modelFiles.ts";
export { readBytes } from "./readBytes.ts";
