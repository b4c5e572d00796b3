export { writeFileAtomically } from "./atomicFile.ts";
export { type CheckpointFileOptions, checkpointFile } from "./checkpointFile.ts";
export { loadModel, saveModel } from "../open/modelFiles.ts";
