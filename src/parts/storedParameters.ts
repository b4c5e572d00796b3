import { brief, PushforwardError } from "../check/index.ts";
import type { Parameter } from "../graph/index.ts";
import type { StoredArray } from "./safetensors.ts";

/** What error messages call the file and the module whose parameters are loaded. */
interface ErrorWording {
  readonly file: string;
  readonly owner: string;
  /** The hint for arrays that are missing, unexpected or of a wrong shape. */
  readonly hint?: string;
}

/** The parameters as arrays of a safetensors file. */
export const toStoredArrays = (parameters: ReadonlyMap<string, Parameter>): Map<string, StoredArray> =>
  new Map(
    [...parameters].map(([name, { sizes, numbers }]) => [name, { shape: [...sizes], values: numbers }]),
  );

/**
 * Sets parameters to the arrays of a file. Throws `MODEL` for arrays that are missing, unexpected, of a wrong shape, or
 * outside of the domain of their parameter, and then leaves all parameters unchanged.
 */
export function setParameters(
  arrays: ReadonlyMap<string, StoredArray>,
  parameters: ReadonlyMap<string, Parameter>,
  { file, owner, hint }: ErrorWording,
): void {
  const arrayError = (what: string, details = {}) =>
    new PushforwardError("MODEL", what, { hint, ...details });
  for (const name of arrays.keys()) {
    if (!parameters.has(name))
      throw arrayError(`${file} has the array ${brief(name)}, which is not a parameter of ${owner}`, {
        path: `arrays.${name}`,
      });
  }
  const assignments = [...parameters].map(([name, parameter]) => {
    const array = arrays.get(name);
    const values = array?.values;
    if (!array || !(values instanceof Float32Array || values instanceof Float64Array))
      throw arrayError(`${file} has no floating-point array ${name}`);
    if (array.shape.join() !== parameter.sizes.join()) {
      throw arrayError(`${file}'s array ${name} has a wrong shape`, {
        expected: `[${parameter.sizes.join(", ")}]`,
        received: `[${array.shape.join(", ")}]`,
      });
    }
    const { min, max } = parameter.domain;
    const badIndex = values.findIndex((v) => !(v >= min && v <= max));
    if (badIndex >= 0) {
      throw arrayError(`${file}'s array ${name} has ${values[badIndex]} at index ${badIndex}`, {
        ...(Number.isFinite(values[badIndex]) && { expected: `numbers from ${min} to ${max}` }),
        hint: "The file is damaged, or its training failed: fit the model again.",
      });
    }
    return { parameter, values };
  });
  for (const { parameter, values } of assignments) parameter.take(values);
}
