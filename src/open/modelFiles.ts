import { checkOptions, PushforwardError } from "../check/index.ts";
import { readBytes, writeFileAtomically } from "../files/index.ts";
import { type KindOptions, kindRules } from "../flows/index.ts";
import { decodeModel, encodeModel, type LoadedModel, type ModelToSave } from "../tables/model/index.ts";

/**
 * Writes a model file atomically: a reader sees either the old file or the complete new one.
 *
 * Throws `FILE` if it cannot be written, and `ARGUMENT` as `encodeModel` does for a model that could not be loaded.
 */
export async function saveModel(path: string, model: ModelToSave, options: KindOptions = {}): Promise<void> {
  await writeFileAtomically(path, encodeModel(model, options));
}

/**
 * Reads a model file. Throws `FILE` if it cannot be read; `MODEL`, with the path, if it is damaged, of another program or of
 * another version, or has custom classes that are not in `kinds`.
 */
export async function loadModel(path: string, options: KindOptions = {}): Promise<LoadedModel> {
  checkOptions("loadModel", options, kindRules);
  const bytes = await readBytes(path);
  try {
    return await decodeModel(bytes, options);
  } catch (error) {
    if (!(error instanceof PushforwardError) || error.code !== "MODEL") throw error;
    throw new PushforwardError("MODEL", `${path}: ${error.summary}`, { ...error, cause: error });
  }
}
