import { PushforwardError } from "../../check/index.ts";
import { ByteReader, type FileRange } from "./byteReader.ts";
import type { NumberArray } from "./numberArrays.ts";
import { zipEntries } from "./zip.ts";

const MAGIC = "\x93NUMPY";

/** Reads a number of each NumPy type, little-endian. Unsigned bytes, u1, need no conversion. */
const READERS: Readonly<Record<string, (bytes: Buffer, offset: number) => number>> = {
  b1: (bytes, offset) => bytes[offset]!,
  i1: (bytes, offset) => bytes.readInt8(offset),
  i2: (bytes, offset) => bytes.readInt16LE(offset),
  u2: (bytes, offset) => bytes.readUInt16LE(offset),
  i4: (bytes, offset) => bytes.readInt32LE(offset),
  u4: (bytes, offset) => bytes.readUInt32LE(offset),
  i8: (bytes, offset) => Number(bytes.readBigInt64LE(offset)),
  u8: (bytes, offset) => Number(bytes.readBigUInt64LE(offset)),
  f4: (bytes, offset) => bytes.readFloatLE(offset),
  f8: (bytes, offset) => bytes.readDoubleLE(offset),
};

/** Whether a file begins as one that `numpy.save` wrote. */
export const isNpy = (head: Buffer): boolean => head.toString("latin1", 0, 6) === MAGIC;

/**
 * Opens an array that `numpy.save` wrote, in a file or in a part of it.
 *
 * @throws FILE if the array is not of little-endian numbers, or is in Fortran order.
 */
export async function openNpy(path: string, name = path, range?: FileRange): Promise<NumberArray> {
  const reader = await ByteReader.open(path, range);
  try {
    const start = await reader.read(8);
    if (!isNpy(start)) throw unreadable(name, "no array of NumPy");
    // Version 1 has a header length of 2 bytes, later versions one of 4.
    const lengthBytes = start[6] === 1 ? 2 : 4;
    const length = (await reader.read(lengthBytes)).readUIntLE(0, lengthBytes);
    const header = (await reader.read(length)).toString("latin1");
    const isText = /'descr':\s*'[<|=]?[USO]\d*'/.test(header);
    const [, type] = /'descr':\s*'[<|=]?([a-z]\d+)'/.exec(header) ?? [];
    const [, sizes] = /'shape':\s*\(([\d,\s]*)\)/.exec(header) ?? [];
    const shape = sizes
      ?.split(",")
      .map((size) => size.trim())
      .filter(Boolean)
      .map(Number);
    const headerBytes = 8 + lengthBytes + length;
    // Text can only be labels. It is an error when they are read, because images may be read without their labels.
    if (isText && shape?.length === 1) {
      const convert = () => {
        throw textLabels(name);
      };
      return { name, path, range, headerBytes, shape, bytesPerNumber: 0, convert };
    }
    const convert = type === "u1" ? undefined : READERS[type ?? ""];
    if (type === undefined || shape === undefined || (type !== "u1" && !convert))
      throw unreadable(name, `the header ${header.trim()}`);
    if (/'fortran_order':\s*True/.test(header)) {
      throw new PushforwardError("FILE", `${name} is in Fortran order`, {
        expected: "an array in C order",
        hint: "Save it by np.save(path, np.ascontiguousarray(x)).",
      });
    }
    return { name, path, range, headerBytes, shape, bytesPerNumber: Number(type.slice(1)), convert };
  } finally {
    reader.close();
  }
}

const unreadable = (name: string, received: string): PushforwardError =>
  new PushforwardError("FILE", `${name} cannot be read`, {
    expected: "an array of integers or floating-point numbers, little-endian, as numpy.save writes it",
    received,
    hint: "Save it as numbers of 32 bits: np.save(path, x.astype(np.float32))",
  });

const textLabels = (name: string): PushforwardError =>
  new PushforwardError("DATA", `${name} has labels that are text`, {
    expected: "labels that are integers",
    hint: "Save the number of each label: np.unique(y, return_inverse=True)[1]",
  });

/**
 * Opens the arrays of a file that `numpy.savez` or `numpy.savez_compressed` wrote.
 *
 * @throws FILE if it cannot be read; DATA if more than one array may be images.
 */
export async function openNpz(path: string): Promise<NumberArray[]> {
  const entries = await zipEntries(path);
  const arrays: NumberArray[] = [];
  for (const { name, range } of entries) {
    if (name.endsWith(".npy"))
      arrays.push(await openNpy(path, `array ${name.slice(0, -4)} in ${path}`, range));
  }
  const images = arrays.filter(({ shape }) => shape.length > 2);
  if (images.length <= 1) return arrays;
  throw new PushforwardError("DATA", `${path} has several arrays that may be images`, {
    expected: "one array of images, and at most one of labels",
    received: images.map(({ name }) => name.slice("array ".length, -` in ${path}`.length)).join(", "),
    hint: "Save them in files of their own: np.savez('images.npz', images=x, labels=y)",
  });
}
