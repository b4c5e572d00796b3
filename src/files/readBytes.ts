import { constants, createReadStream, openSync } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { Socket } from "node:net";
import { basename, dirname } from "node:path";
import { PushforwardError } from "../errors.ts";
import { declaredSize } from "../flows/safetensors.ts";
import { nearestName } from "../nearestName.ts";

/**
 * All bytes of a model file or a checkpoint. Reading stops where the content cannot be such a file: after at most a safetensors
 * header and the arrays that it declares, so a pipe without end is not read for ever.
 *
 * @throws FILE when there is no such file, or it is a directory, a device or unreadable; MODEL for the beginning of another file.
 */
export async function readBytes(path: string): Promise<Uint8Array> {
  const kept: Buffer[] = [];
  let length = 0;
  let declared = declaredSize(new Uint8Array());
  try {
    for await (const chunk of await openBytes(path)) {
      kept.push(chunk);
      length += chunk.length;
      while (length >= declared) {
        const next = declaredSize(Buffer.concat(kept));
        if (next === declared) break;
        declared = next;
      }
      // A file that is too long is refused anyway.
      if (length > declared) break;
    }
  } catch (error) {
    throw await readError(error, path);
  }
  return Buffer.concat(kept);
}

async function openBytes(path: string): Promise<AsyncIterable<Buffer>> {
  const kind = await stat(path);
  if (kind.isDirectory()) throw Object.assign(new Error(), { code: "EISDIR" });
  if (kind.isCharacterDevice() || kind.isBlockDevice() || kind.isSocket()) {
    throw new PushforwardError("FILE", `${path} is a ${kind.isSocket() ? "socket" : "device"}`, {
      expected: "a file or a pipe",
    });
  }
  if (!kind.isFIFO()) return createReadStream(path, { highWaterMark: 1 << 20 });
  // A blocking read of a pipe without a writer could not be stopped, and the process could not end before it.
  return new Socket({ fd: openSync(path, constants.O_RDONLY | constants.O_NONBLOCK), writable: false });
}

/** A failure to read `path`, told with its cause and how to help; other errors as they are. */
export async function readError(error: unknown, path: string): Promise<unknown> {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === "ENOENT" || code === "ENOTDIR") {
    const siblings = await readdir(dirname(path)).catch(() => []);
    const nearest = nearestName(basename(path), siblings);
    return new PushforwardError("FILE", `There is no file ${path || '""'}`, {
      hint: nearest ? `Did you mean ${nearest}?` : "Check the path.",
      cause: error,
    });
  }
  if (code === "EISDIR")
    return new PushforwardError("FILE", `${path} is a directory`, { expected: "a file", cause: error });
  if (code === "EACCES" || code === "EPERM") {
    return new PushforwardError("FILE", `Cannot read ${path}: permission denied`, {
      hint: `Allow reading: chmod u+r '${path}'`,
      cause: error,
    });
  }
  return error;
}
