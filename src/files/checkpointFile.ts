import { existsSync } from "node:fs";
import { callback, checkOptions, numberFrom, trueOrFalse } from "../check/index.ts";
import { writeFileAtomically } from "./atomicFile.ts";
import { checkPath } from "./checkPath.ts";
import { readBytes } from "./readBytes.ts";

/** Options of a checkpoint in a file. */
export interface CheckpointFileOptions {
  /** Whether training resumes from the checkpoint in an existing file. Default true. */
  readonly resume?: boolean | undefined;
  /** The least time between two checkpoints: an epoch that ends sooner writes none. Default 1000. */
  readonly minIntervalMilliseconds?: number | undefined;
  /** Called after each checkpoint is written. */
  onSave?: (() => void) | undefined;
}

/**
 * A file that keeps the checkpoints of a training run, as a `CheckpointStore` for `fit` and `minimize`. Each checkpoint is written
 * atomically, so that the file is complete even if the process is killed. Throws `ARGUMENT` if the path is not a string, or the options are
 * not valid; `load` and `save` throw `FILE` if the file cannot be read or written.
 */
export function checkpointFile(path: string, options: CheckpointFileOptions = {}) {
  checkPath(path);
  checkOptions("checkpointFile", options, {
    resume: trueOrFalse,
    minIntervalMilliseconds: numberFrom(0),
    onSave: callback,
  });
  const { resume = true, minIntervalMilliseconds = 1000, onSave } = options;
  let savedAt = Number.NEGATIVE_INFINITY;
  return {
    due: () => performance.now() - savedAt >= minIntervalMilliseconds,
    load: async (): Promise<Uint8Array | undefined> =>
      resume && existsSync(path) ? readBytes(path) : undefined,
    save: async (bytes: Uint8Array): Promise<void> => {
      await writeFileAtomically(path, bytes);
      savedAt = performance.now();
      onSave?.();
    },
  };
}
