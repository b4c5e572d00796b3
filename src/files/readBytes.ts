import { constants, createReadStream, openSync } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { Socket } from "node:net";
import { basename, dirname } from "node:path";
import { nearestName, PushforwardError, shellQuoted } from "../check/index.ts";
import { declaredSize } from "../parts/index.ts";
import { checkPath } from "./checkPath.ts";

/**
 * Reads a model file or a checkpoint. It reads at most the safetensors header and the arrays that the header declares, so an
 * endless pipe is not read forever.
 *
 * @throws ARGUMENT if the path is not a string; FILE if the file does not exist, is unreadable, a directory or a device; MODEL if it does not begin with a safetensors
 * header.
 */
export async function readBytes(path: string): Promise<Uint8Array> {
  checkPath(path);
  const chunks: Buffer[] = [];
  let length = 0;
  // The length that the bytes so far declare: first of the field with the size of the header, then of the header, then of the whole file.
  let expectedLength = declaredSize(new Uint8Array());
  try {
    for await (const chunk of await openBytes(path)) {
      chunks.push(chunk);
      length += chunk.length;
      while (length >= expectedLength) {
        const next = declaredSize(Buffer.concat(chunks));
        if (next === expectedLength) break;
        expectedLength = next;
      }
      // The caller throws the error for a file that is longer than its header declares.
      if (length > expectedLength) break;
    }
  } catch (error) {
    throw await readError(error, path);
  }
  return Buffer.concat(chunks);
}

async function openBytes(path: string): Promise<AsyncIterable<Buffer>> {
  const stats = await stat(path);
  if (stats.isDirectory()) throw Object.assign(new Error(), { code: "EISDIR" });
  if (stats.isCharacterDevice() || stats.isBlockDevice() || stats.isSocket()) {
    throw new PushforwardError("FILE", `${path} is a ${stats.isSocket() ? "socket" : "device"}`, {
      expected: "a file or a pipe",
    });
  }
  if (!stats.isFIFO()) return createReadStream(path, { highWaterMark: 1 << 20 });
  // A blocking read of a pipe without a writer cannot be interrupted, and would keep the process from ending.
  return new Socket({ fd: openSync(path, constants.O_RDONLY | constants.O_NONBLOCK), writable: false });
}

/** Converts an error of reading `path` into a PushforwardError with a hint. Returns other errors unchanged. */
export async function readError(error: unknown, path: string): Promise<unknown> {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === "ENOENT" || code === "ENOTDIR") {
    const siblings: string[] = await readdir(dirname(path)).catch(() => []);
    const isLink = siblings.includes(basename(path));
    const nearest = nearestName(basename(path), siblings);
    return new PushforwardError("FILE", `There is no file ${path || '""'}`, {
      hint: isLink
        ? "It is a link to a file that does not exist."
        : nearest
          ? `Did you mean ${nearest}?`
          : "Check the path.",
      cause: error,
    });
  }
  if (code === "EISDIR")
    return new PushforwardError("FILE", `${path} is a directory`, { expected: "a file", cause: error });
  if (code === "EACCES" || code === "EPERM") {
    return new PushforwardError("FILE", `Cannot read ${path}: permission denied`, {
      hint: `Allow reading: chmod u+r ${shellQuoted(path)}`,
      cause: error,
    });
  }
  return error;
}
