import { PushforwardError } from "../check/index.ts";
import { parametersOf } from "../nn/index.ts";
import {
  checksumError,
  decodeWithChecksum,
  encodeWithChecksum,
  fileBytes,
  setParameters,
  toStoredArrays,
} from "../parts/index.ts";
import { KEY as MODEL_KEY } from "./modelFile.ts";
import { splitAnomalyArrays } from "./splitAnomalyArrays.ts";

/** The version of the format. It changes when the meaning of the arrays changes. */
const FORMAT = "1";
const KEY = "pushforward.parameters";

/**
 * Saves the parameters of a module by their paths, as the bytes of a safetensors file, and nothing else of the module. A module is
 * any object with parameters: a flow, a network, or several of them in `{ encoder, decoder }`. Throws `ARGUMENT` if the
 * module has no parameters.
 */
export function saveParameters(module: object): Uint8Array {
  const parameters = parametersOf(module);
  if (parameters.size === 0) {
    throw new PushforwardError("ARGUMENT", "the module has no parameters to save", {
      hint: "Parameters are found in public properties, arrays and plain objects, but not in #private fields, Maps or closures.",
    });
  }
  return encodeWithChecksum(toStoredArrays(parameters), { [KEY]: FORMAT });
}

/**
 * Loads the parameters of a module from a file that `saveParameters` wrote for a module of the same structure. The file may also be
 * a model file, of which only the parameters of the flow are read, or a safetensors file of another program with arrays of the same names.
 *
 * Throws `ARGUMENT` for anything but bytes, `MODEL` for a damaged file, and for arrays that are missing, unexpected or of a wrong shape,
 * and then leaves all parameters unchanged.
 */
export function loadParameters(bytes: Uint8Array | ArrayBuffer, module: object): void {
  const { arrays, metadata, hasChecksum } = decodeWithChecksum(fileBytes(bytes, "loadParameters"));
  const isOfPushforward = Object.keys(metadata).some((key) => key.startsWith("pushforward"));
  if (isOfPushforward && !hasChecksum) throw checksumError("a checksum", "none");
  if ("pushforward.checkpoint" in metadata) {
    throw new PushforwardError("MODEL", "the file is a checkpoint, not parameters", {
      hint: "Give it to `fit`, which resumes the training.",
    });
  }
  const format = metadata[KEY];
  if (format !== undefined && format !== FORMAT) {
    throw new PushforwardError("MODEL", "these parameters were written by a newer pushforward", {
      expected: `format ${FORMAT}`,
      received: `format ${format}`,
      hint: "Update pushforward: npm install pushforward@latest.",
    });
  }
  const ownArrays = MODEL_KEY in metadata ? splitAnomalyArrays(arrays).flowArrays : arrays;
  setParameters(ownArrays, parametersOf(module), {
    file: "the file",
    owner: "the module",
    hint: "Build the module in the same way as when its parameters were saved.",
  });
}
