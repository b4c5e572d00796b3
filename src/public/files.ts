/** `pushforward/files`: model files and checkpoints on disks, in Node. */

export { type CheckpointFileOptions, checkpointFile, writeFileAtomically } from "../files/index.ts";
export { loadModel, saveModel } from "../open/index.ts";
