import { chmod, open, realpath, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { PushforwardError } from "../errors.ts";

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
 * done. When `write` throws, the temporary file is removed and what was at `path` stays.
 */
export async function replaceFile(
  path: string,
  write: (temporary: string) => Promise<unknown>,
): Promise<void> {
  let temporary: string | undefined;
  try {
    const { target, mode } = await replaceable(path);
    const candidate = join(dirname(target), `.pushforward-${crypto.randomUUID()}.tmp`);
    await writeFile(candidate, "", { flag: "wx" });
    temporary = candidate;
    if (mode !== undefined) await chmod(temporary, mode);
    await write(temporary);
    await flush(temporary, "r+");
    await rename(temporary, target);
    temporary = undefined;
    // The rename itself reaches the disk with its directory; some systems cannot open one, and need not.
    await flush(dirname(target), "r").catch(() => {});
  } catch (error) {
    throw writeError(error, path);
  } finally {
    if (temporary !== undefined) await rm(temporary, { force: true });
  }
}

/**
 * Makes sure that `path` can be written later, and leaves what is there as it is.
 *
 * @throws FILE as `writeFileAtomically` would.
 */
export async function checkWritable(path: string): Promise<void> {
  try {
    const { target } = await replaceable(path);
    const probe = join(dirname(target), `.pushforward-${crypto.randomUUID()}.tmp`);
    await writeFile(probe, "", { flag: "wx" });
    await rm(probe);
  } catch (error) {
    throw writeError(error, path);
  }
}

/** The file behind `path` (links are followed) and its permissions, if there is one already. */
async function replaceable(path: string): Promise<{ target: string; mode?: number }> {
  const target = await realpath(path).catch(() => resolve(path));
  const existing = await stat(target).catch(() => undefined);
  if (!existing) return { target };
  if (!existing.isFile()) {
    throw new PushforwardError("FILE", `Cannot write ${path}`, {
      expected: "the path of a regular file",
      received: existing.isDirectory() ? "a directory" : "a device, pipe or socket",
      mend: "Give a file name.",
    });
  }
  // Renaming would replace a read-only file too; opening it respects the wish.
  await (await open(target, "r+")).close();
  return { target, mode: existing.mode & 0o7777 };
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
 * A failure to write `path`, told with its cause and how to mend it.
 *
 * Knows the codes of Node's file system and the same causes in DuckDB's words; errors that are not about files (those
 * of whoever produced the content) come back as they are.
 */
export function writeError(error: unknown, path: string): unknown {
  if (!(error instanceof Error) || error instanceof PushforwardError) return error;
  const code = "code" in error ? error.code : undefined;
  const because = (what: string, mend: string) =>
    new PushforwardError("FILE", `Cannot write ${path}: ${what}`, { mend, cause: error });
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
  if (is(["ENOENT", "ENOTDIR"], /No such file or directory|Not a directory/)) {
    const directory = dirname(path);
    return because(`there is no directory ${directory}`, `Create it first: mkdir -p '${directory}'`);
  }
  if ((typeof code === "string" && "syscall" in error) || /^IO Error/.test(error.message)) {
    const what = error.message.replace(/^IO Error: /, "");
    return because(what, "Choose another place, or see to the cause and run again.");
  }
  return error;
}
