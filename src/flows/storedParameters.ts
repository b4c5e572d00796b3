import { PushforwardError } from "../errors.ts";
import type { Parameter } from "../graph/parameter.ts";
import { brief } from "../parse.ts";
import type { StoredArray } from "./safetensors.ts";

/** How errors call the file and what its arrays belong to. */
interface Names {
  readonly file: string;
  readonly owner: string;
  /** How to help where the arrays are not those of the owner. */
  readonly hint?: string;
}

/** The numbers of parameters as arrays of a file. */
export const storedParameters = (parameters: ReadonlyMap<string, Parameter>): Map<string, StoredArray> =>
  new Map(
    [...parameters].map(([name, { sizes, numbers }]) => [name, { shape: [...sizes], values: numbers }]),
  );

/**
 * Gives parameters the numbers of a file. Throws `MODEL` for arrays that are missing, unexpected, of a wrong shape, or outside
 * of the domain of their parameter; the parameters are then as they were.
 */
export function takeStored(
  arrays: ReadonlyMap<string, StoredArray>,
  parameters: ReadonlyMap<string, Parameter>,
  { file, owner, hint }: Names,
): void {
  const wrong = (what: string, details = {}) => new PushforwardError("MODEL", what, { hint, ...details });
  for (const name of arrays.keys()) {
    if (!parameters.has(name))
      throw wrong(`${file} has an array that ${owner} does not know: ${brief(name)}`);
  }
  const taken = [...parameters].map(([name, parameter]) => {
    const array = arrays.get(name);
    const values = array?.values;
    if (!array || !(values instanceof Float32Array || values instanceof Float64Array))
      throw wrong(`${file} has no floating-point array ${name}`);
    if (array.shape.join() !== parameter.sizes.join()) {
      throw wrong(`${file}'s array ${name} has a wrong shape`, {
        expected: `[${parameter.sizes.join(", ")}]`,
        received: `[${array.shape.join(", ")}]`,
      });
    }
    const { min, max } = parameter.domain;
    const bad = values.findIndex((v) => !(v >= min && v <= max));
    if (bad >= 0) {
      throw new PushforwardError("MODEL", `${file}'s array ${name} holds ${values[bad]} at position ${bad}`, {
        ...(Number.isFinite(values[bad]) && { expected: `numbers from ${min} to ${max}` }),
        hint: "The file is damaged, or its training failed: fit the model again.",
      });
    }
    return { parameter, values };
  });
  for (const { parameter, values } of taken) parameter.take(values);
}
