import type { StoredArray } from "../../src/parts/safetensors.ts";

/**
 * The header and data that safetensors 0.5.2 for Python (the reference implementation) writes:
 *
 *     serialize({"b": {"dtype": "uint8", "shape": [3], "data": bytes([1, 2, 255])},
 *                "a": {"dtype": "float32", "shape": [], "data": struct.pack("<f", 0.5)},
 *                "z": {"dtype": "float64", "shape": [1, 1], "data": struct.pack("<d", -2)}}, {"ä": "1\n"})
 */
export const HEADER =
  '{"__metadata__":{"ä":"1\\n"},"z":{"dtype":"F64","shape":[1,1],"data_offsets":[0,8]},' +
  '"a":{"dtype":"F32","shape":[],"data_offsets":[8,12]},"b":{"dtype":"U8","shape":[3],"data_offsets":[12,15]}}';
export const DATA = [0, 0, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0x3f, 1, 2, 255];
export const ARRAYS: Record<string, StoredArray> = {
  b: { shape: [3], values: Uint8Array.of(1, 2, 255) },
  a: { shape: [], values: Float32Array.of(0.5) },
  z: { shape: [1, 1], values: Float64Array.of(-2) },
};
export const METADATA = { ä: "1\n" };

/** A file with this header, valid or not, preceded by its length. */
export function file(header: string, data: Iterable<number> = []): Uint8Array {
  const text = new TextEncoder().encode(header);
  const length = new Uint8Array(8);
  new DataView(length.buffer).setUint32(0, text.length, true);
  return Uint8Array.from([...length, ...text, ...data]);
}
