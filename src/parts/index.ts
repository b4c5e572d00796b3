/** A module as data: descriptions, kinds, and arrays in safetensors files. */

export { checksumError, decodeWithChecksum, encodeWithChecksum } from "./checksum.ts";
export { type Category, type RegisteredKind, withKinds } from "./customKinds.ts";
export {
  countSchema,
  type Description,
  type DescriptionOf,
  isUnknownType,
  type Kind,
  KindRegistry,
  type KindSchema,
  MAX_LAYERS,
  type NestedSchema,
  positiveSchema,
  realSchema,
  sizeSchema,
} from "./description.ts";
export { declaredSize, fileBytes, type StoredArray } from "./safetensors.ts";
export { setParameters, toStoredArrays } from "./storedParameters.ts";
