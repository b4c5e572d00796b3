import { open } from "node:fs/promises";
import { readError } from "./readBytes.ts";

/**
 * `length` bytes of a file from `position` on, fewer if the file ends before.
 *
 * @throws FILE if the file cannot be read.
 */
export async function readRange(path: string, length: number, position = 0): Promise<Buffer> {
  try {
    const handle = await open(path);
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, position);
      return buffer.subarray(0, bytesRead);
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw await readError(error, path);
  }
}

/** Whether a file begins as a gzip file. */
export const isGzip = (head: Uint8Array): boolean => head[0] === 0x1f && head[1] === 0x8b;
