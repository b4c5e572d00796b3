/** Atomic writes, locks and reading ranges of files. */

export { checkWritable, replaceFile, writeFileAtomically } from "./atomicFile.ts";
export { type CheckpointFileOptions, checkpointFile } from "./checkpointFile.ts";
export { lockPath, withFileLock } from "./fileLock.ts";
export { FileVersion } from "./fileVersion.ts";
export { interruptedError, stoppedWhile } from "./interrupted.ts";
export { makeDirectory } from "./makeDirectory.ts";
export { readBytes, readError } from "./readBytes.ts";
export { isGzip, readRange } from "./readRange.ts";
export { removeAbandoned, temporaryName, withTemporaryFile } from "./temporaryFile.ts";
