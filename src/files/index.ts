export { writeFileAtomically } from "./atomicFile.ts";
export { loadModel, saveModel } from "./modelFiles.ts";
