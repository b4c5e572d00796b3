import { existsSync } from "node:fs";
import { chmod, open, readlink, realpath, rename, stat, writeFile } from "node:fs/promises";
import { dirname, isAbsolute, join, sep } from "node:path";
import { PushforwardError, shellQuoted } from "../check/index.ts";
import { checkPath } from "./checkPath.ts";
import { withTemporaryFile } from "./temporaryFile.ts";

/**
 * Writes a file atomically: a reader sees either the old file or the complete new one.
 *
 * @throws ARGUMENT if the path is not a string; FILE if the directory is missing, the disk is full, or permission is denied; the old file is
 *   unchanged.
 */
export async function writeFileAtomically(path: string, bytes: Uint8Array | string): Promise<void> {
  await replaceFile(path, (temporary) => writeFile(temporary, bytes));
}

/**
 * Replaces a file atomically: `write` writes a temporary file in the directory of `path`, which is flushed to the disk and then
 * renamed.
 *
 * The temporary file is created before `write` is called, so a path that cannot be written fails early. If `write` throws, the
 * temporary file is removed and the old file is unchanged. If `path` is a symbolic link, its target is replaced or created.
 */
export async function replaceFile(
  path: string,
  write: (temporary: string) => Promise<unknown>,
): Promise<void> {
  await withTemporaryFileBeside(path, async (temporary, { target, mode }) => {
    if (mode !== undefined) await chmod(temporary, mode);
    await write(temporary);
    await flush(temporary, "r+");
    await rename(temporary, target);
    // Flushing the directory makes the rename durable. Some systems cannot open directories, and do not need this.
    await flush(dirname(target), "r").catch(() => {});
  });
}

/**
 * Checks that `path` can be written, without changing it.
 *
 * @throws FILE if `writeFileAtomically` would.
 */
export const checkWritable = (path: string): Promise<void> => withTemporaryFileBeside(path, async () => {});

interface Target {
  /** The path after following links. */
  readonly target: string;
  /** The permissions of an existing file. */
  readonly mode?: number;
}

async function withTemporaryFileBeside(
  path: string,
  use: (temporary: string, target: Target) => Promise<void>,
): Promise<void> {
  checkPath(path);
  let directory = dirname(path);
  try {
    if (path.endsWith("/") || path.endsWith(sep)) throw notAFileError(path, "a directory");
    const target = await followLinks(path);
    directory = dirname(target);
    const mode = await modeOfExisting(path, target);
    await withTemporaryFile(directory, (temporary) => use(temporary, { target, mode }));
  } catch (error) {
    throw writeError(error, path, directory);
  }
}

const notAFileError = (path: string, received: string): PushforwardError =>
  new PushforwardError("FILE", `Cannot write ${path}`, {
    expected: "the path of a regular file",
    received,
    hint: "Give a file name.",
  });

/** Follows symbolic links, also to a file that does not exist yet. */
async function followLinks(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
  const link = await readlink(path).catch(() => undefined);
  if (link === undefined) return path;
  return followLinks(isAbsolute(link) ? link : join(await realpath(dirname(path)), link));
}

/** The permissions of the existing file, if there is one. Throws if it is not a regular file or is read-only. */
async function modeOfExisting(path: string, target: string): Promise<number | undefined> {
  const existing = await stat(target).catch(() => undefined);
  if (!existing) return undefined;
  if (!existing.isFile()) {
    throw notAFileError(path, existing.isDirectory() ? "a directory" : "a device, pipe or socket");
  }
  // A rename replaces even a read-only file, so the file is opened for writing to check the permission.
  await (await open(target, "r+")).close();
  return existing.mode & 0o7777;
}

async function flush(path: string, flags: "r" | "r+"): Promise<void> {
  const handle = await open(path, flags);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * Converts an error of writing `path` into a PushforwardError with its cause and a hint.
 *
 * It recognizes the error codes of Node and the messages of DuckDB for the same causes. Other errors, such as those of the
 * function that produced the content, are returned unchanged.
 */
export function writeError(error: unknown, path: string, directory = dirname(path)): unknown {
  if (!(error instanceof Error) || error instanceof PushforwardError) return error;
  const code = "code" in error ? error.code : undefined;
  const fileError = (reason: string, hint: string) =>
    new PushforwardError("FILE", `Cannot write ${path}: ${reason}`, { hint, cause: error });
  const matches = (codes: string[], messages: RegExp) =>
    codes.includes(String(code)) || (/^IO Error/.test(error.message) && messages.test(error.message));

  if (matches(["ENOSPC", "EDQUOT"], /No space left on device|quota exceeded/)) {
    return fileError(
      "the disk is full",
      "Free some space, or write to another disk. If the file existed, it is unchanged.",
    );
  }
  if (matches(["EFBIG"], /File too large/)) {
    return fileError(
      "the file would exceed the size limit",
      "Raise the limit (ulimit -f), or write to another disk. If the file existed, it is unchanged.",
    );
  }
  if (matches(["EACCES", "EPERM"], /Permission denied|Operation not permitted/)) {
    return fileError(
      "permission denied",
      "Choose another path, or change the permissions of the file and its directory.",
    );
  }
  if (matches(["EROFS"], /Read-only file system/)) {
    return fileError("the file system is read-only", "Choose another path.");
  }
  if (code === "ELOOP") {
    return fileError("its symbolic links form a loop", "Remove the link, or give another file name.");
  }
  if (matches(["ENOENT", "ENOTDIR"], /No such file or directory|Not a directory/)) {
    // The file system of /proc, for example, has no file of this name either.
    if (code === "ENOENT" && existsSync(directory))
      return fileError(`no file can be created in ${directory}`, "Choose another directory.");
    return fileError(
      `there is no directory ${directory}`,
      `Create it first: mkdir -p ${shellQuoted(directory)}`,
    );
  }
  if ((typeof code === "string" && "syscall" in error) || /^IO Error/.test(error.message)) {
    const reason = error.message.replace(/^IO Error: /, "");
    return fileError(reason, "Choose another path, or remove the cause and run the command again.");
  }
  return error;
}
