import { chmod, open, readlink, realpath, rename, stat, writeFile } from "node:fs/promises";
import { dirname, isAbsolute, join, sep } from "node:path";
import { PushforwardError } from "../errors.ts";
import { withTemporaryFile } from "./temporaryFile.ts";

/**
 * Writes `bytes` to `path` so that a reader sees the old file or the new one, never a part.
 *
 * @throws FILE when the directory is missing, the disk is full, or permission is denied; what was at `path` stays.
 */
export async function writeFileAtomically(path: string, bytes: Uint8Array | string): Promise<void> {
  await replaceFile(path, (temporary) => writeFile(temporary, bytes));
}

/**
 * Lets `write` fill a temporary file beside `path`, flushes it to the disk and renames it over `path`.
 *
 * The temporary file exists before `write` is called, so a path that cannot be written fails before any work is
 * done. When `write` throws, the temporary file is removed and what was at `path` stays. A symbolic link stays one: its
 * target is replaced, or created.
 */
export async function replaceFile(
  path: string,
  write: (temporary: string) => Promise<unknown>,
): Promise<void> {
  await besideTarget(path, async (temporary, { target, mode }) => {
    if (mode !== undefined) await chmod(temporary, mode);
    await write(temporary);
    await flush(temporary, "r+");
    await rename(temporary, target);
    // The rename itself reaches the disk with its directory; some systems cannot open one, and need not.
    await flush(dirname(target), "r").catch(() => {});
  });
}

/**
 * Makes sure that `path` can be written later, and leaves what is there as it is.
 *
 * @throws FILE as `writeFileAtomically` would.
 */
export const checkWritable = (path: string): Promise<void> => besideTarget(path, async () => {});

interface Target {
  /** The file behind `path`: links are followed. */
  readonly target: string;
  /** The permissions of the file, if there is one already. */
  readonly mode?: number;
}

async function besideTarget(
  path: string,
  use: (temporary: string, target: Target) => Promise<void>,
): Promise<void> {
  let directory = dirname(path);
  try {
    if (path.endsWith("/") || path.endsWith(sep)) throw notAFile(path, "a directory");
    const target = await followLinks(path);
    directory = dirname(target);
    const mode = await replaceableMode(path, target);
    await withTemporaryFile(directory, (temporary) => use(temporary, { target, mode }));
  } catch (error) {
    throw writeError(error, path, directory);
  }
}

const notAFile = (path: string, received: string): PushforwardError =>
  new PushforwardError("FILE", `Cannot write ${path}`, {
    expected: "the path of a regular file",
    received,
    hint: "Give a file name.",
  });

/** The file that `path` leads to, whether it exists or not. */
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

/** The permissions of the file to be replaced, if there is one. */
async function replaceableMode(path: string, target: string): Promise<number | undefined> {
  const existing = await stat(target).catch(() => undefined);
  if (!existing) return undefined;
  if (!existing.isFile()) {
    throw notAFile(path, existing.isDirectory() ? "a directory" : "a device, pipe or socket");
  }
  // Renaming would replace a read-only file too; opening it respects the wish.
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
 * A failure to write `path`, told with its cause and a hint how to fix it.
 *
 * Knows the codes of Node's file system and the same causes in DuckDB's words; errors that are not about files (those
 * of whoever produced the content) come back as they are.
 */
export function writeError(error: unknown, path: string, directory = dirname(path)): unknown {
  if (!(error instanceof Error) || error instanceof PushforwardError) return error;
  const code = "code" in error ? error.code : undefined;
  const because = (what: string, hint: string) =>
    new PushforwardError("FILE", `Cannot write ${path}: ${what}`, { hint, cause: error });
  const is = (codes: string[], words: RegExp) =>
    codes.includes(String(code)) || (/^IO Error/.test(error.message) && words.test(error.message));

  if (is(["ENOSPC", "EDQUOT"], /No space left on device|quota exceeded/)) {
    return because(
      "the disk is full",
      "Free some space, or write to another disk. What was there before is unchanged.",
    );
  }
  if (is(["EFBIG"], /File too large/)) {
    return because(
      "the file would be larger than is allowed",
      "Raise the limit (ulimit -f), or write to another disk. What was there before is unchanged.",
    );
  }
  if (is(["EACCES", "EPERM"], /Permission denied|Operation not permitted/)) {
    return because(
      "permission denied",
      "Choose another place, or change the permissions of the file and its directory.",
    );
  }
  if (is(["EROFS"], /Read-only file system/)) {
    return because("the file system is read-only", "Choose another place.");
  }
  if (code === "ELOOP") {
    return because("its symbolic links lead in a circle", "Remove the link, or give another file name.");
  }
  if (is(["ENOENT", "ENOTDIR"], /No such file or directory|Not a directory/)) {
    return because(`there is no directory ${directory}`, `Create it first: mkdir -p '${directory}'`);
  }
  if ((typeof code === "string" && "syscall" in error) || /^IO Error/.test(error.message)) {
    const what = error.message.replace(/^IO Error: /, "");
    return because(what, "Choose another place, or see to the cause and run again.");
  }
  return error;
}
