import { PushforwardError } from "../../check/index.ts";
import { ByteReader } from "./byteReader.ts";
import type { NumberArray } from "./numberArrays.ts";

/** The codes of the types of numbers in idx files. Only unsigned bytes are read. */
const TYPES: Readonly<Record<number, string>> = {
  8: "unsigned bytes",
  9: "signed bytes",
  11: "16-bit integers",
  12: "32-bit integers",
  13: "32-bit floating-point numbers",
  14: "64-bit floating-point numbers",
};

/** Whether a file begins as an idx file: two zeros, a known type, and 1 to 4 axes. */
export const isIdx = (head: Uint8Array): boolean =>
  head.length >= 4 && head[0] === 0 && head[1] === 0 && head[2]! in TYPES && head[3]! >= 1 && head[3]! <= 4;

/**
 * Opens an idx file, the format of MNIST (LeCun et al. 1998): the type, the number of axes, their sizes as big-endian integers of 32
 * bits, and the numbers. It may be compressed by gzip.
 *
 * @throws FILE if its numbers are not unsigned bytes.
 */
export async function openIdx(path: string): Promise<NumberArray> {
  const reader = await ByteReader.open(path);
  try {
    const [, , type, axes] = await reader.read(4);
    if (type !== 8) {
      throw new PushforwardError("FILE", `${path} has numbers that are not pixels`, {
        expected: TYPES[8]!,
        received: TYPES[type!] ?? `the type ${type}`,
        hint: "Write the images as unsigned bytes.",
      });
    }
    const sizes = await reader.read(4 * axes!);
    const shape = Array.from({ length: axes! }, (_, i) => sizes.readUInt32BE(4 * i));
    return { name: path, path, headerBytes: 4 + 4 * axes!, shape, bytesPerNumber: 1 };
  } finally {
    reader.close();
  }
}
