import { crc32, gzipSync } from "node:zlib";
import { encode as encodePng } from "fast-png";
import type { ImageSet } from "../../src/images/files/index.ts";

/** An idx file of unsigned bytes. */
export function idx(shape: readonly number[], bytes: Uint8Array): Buffer {
  const header = Buffer.alloc(4 + 4 * shape.length);
  header.writeUInt16BE(0x0800 + shape.length, 2);
  shape.forEach((size, i) => {
    header.writeUInt32BE(size, 4 + 4 * i);
  });
  return Buffer.concat([header, bytes]);
}

/** An idx file, compressed by gzip. */
export const idxGz = (shape: readonly number[], bytes: Uint8Array): Buffer => gzipSync(idx(shape, bytes));

/** A file as `numpy.save` writes it, of format version 1. `order` is the value of fortran_order. */
export function npy(type: string, shape: readonly number[], bytes: Uint8Array, order = "False"): Buffer {
  const tuple = `(${shape.join(", ")}${shape.length === 1 ? "," : ""})`;
  const text = `{'descr': '${type}', 'fortran_order': ${order}, 'shape': ${tuple}, }`;
  const header = Buffer.from(`${text.padEnd(117)}\n`, "latin1");
  const start = Buffer.from("\x93NUMPY\x01\x00\x00\x00", "latin1");
  start.writeUInt16LE(header.length, 8);
  return Buffer.concat([start, header, bytes]);
}

/** Images of height 4 and width 6 whose pixels differ: the numbers of [count, 4, 6, channels]. */
export const somePixels = (count: number, channels = 1): Uint8Array =>
  Uint8Array.from({ length: count * 24 * channels }, (_, i) => (37 * i + 11 * Math.floor(i / 24)) % 256);

/** A PNG file of height 4 and width 6. */
export const png = (pixels: Uint8Array | Uint16Array, channels = 1, depth: 8 | 16 = 8): Uint8Array =>
  encodePng({ width: 6, height: 4, channels, depth, data: pixels });

/** A chunk of a PNG file: length, type, data and checksum. */
export function pngChunk(type: string, data: Uint8Array): Buffer {
  const bytes = Buffer.concat([Buffer.alloc(4), Buffer.from(type), data, Buffer.alloc(4)]);
  bytes.writeUInt32BE(data.length);
  bytes.writeUInt32BE(crc32(bytes.subarray(4, -4)), bytes.length - 4);
  return bytes;
}

/** All pixels of a set, which is then closed. */
export async function pixelsOf(images: ImageSet): Promise<number[]> {
  const pixels: number[] = [];
  for await (const block of images.blocks()) pixels.push(...block);
  await images.close();
  return pixels;
}
