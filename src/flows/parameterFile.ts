import { PushforwardError } from "../errors.ts";
import { parametersOf } from "../nn/module.ts";
import { changedFile, decodeChecked, encodeChecked } from "./checksum.ts";
import { storedParameters, takeStored } from "./storedParameters.ts";

/** Raised when the meaning of the arrays changes. */
const FORMAT = "1";
const KEY = "pushforward.parameters";

/**
 * The numbers of all parameters of a module, which is any object (a flow, a network, several of them in `{ encoder, decoder }`),
 * by their path, as the bytes of a safetensors file. Nothing else of the module is in it. Throws `ARGUMENT` for a module in which
 * no parameter is found.
 */
export function saveParameters(module: object): Uint8Array {
  const parameters = parametersOf(module);
  if (parameters.size === 0) {
    throw new PushforwardError("ARGUMENT", "the module has no parameters to save", {
      hint: "They are found in public properties, arrays and plain objects: not in a #private field, a Map or a closure.",
    });
  }
  return encodeChecked(storedParameters(parameters), { [KEY]: FORMAT });
}

/**
 * Gives the parameters of a module that was built in the same way the numbers that `saveParameters` saved, or those of a model
 * file, or of a safetensors file by another program with arrays of these names.
 *
 * Throws `MODEL` for a file that is damaged, and for arrays that are missing, unexpected or of a wrong shape; all parameters are
 * then as they were.
 */
export function loadParameters(bytes: Uint8Array, module: object): void {
  const { arrays, metadata, checked } = decodeChecked(bytes);
  const own = Object.keys(metadata).some((key) => key.startsWith("pushforward"));
  if (own && !checked) throw changedFile("a checksum", "none");
  if ("pushforward.checkpoint" in metadata) {
    throw new PushforwardError("MODEL", "this file is a checkpoint, not parameters", {
      hint: "Give it to `fit`, which goes on from it.",
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
  takeStored(arrays, parametersOf(module), {
    file: "the file",
    owner: "the module",
    hint: "Build the module as it was when its parameters were saved.",
  });
}
