import { constants } from "node:fs";
import { copyFile, open, readFile, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { PushforwardError, shellQuoted } from "../check/index.ts";
import { writeError } from "./atomicFile.ts";
import { hasEnded, type ProcessId, thisProcess } from "./processId.ts";
import { temporaryName } from "./temporaryFile.ts";

/** The content of a lock file: the process that holds the lock, and since when. */
interface LockHolder extends ProcessId {
  readonly since: string;
}

/**
 * Runs `work` while this process holds the lock of `path`, a file with the additional suffix `.lock`. If the process that holds the
 * lock ran on this host and was killed, its lock is replaced.
 *
 * @throws FILE immediately if another process holds the lock, or if the lock file cannot be written.
 */
export async function withFileLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  const lock = lockPath(path);
  const holder: LockHolder = { ...thisProcess, since: new Date().toISOString() };
  await acquire(lock, JSON.stringify(holder), path).catch((error: unknown) => {
    throw writeError(error, lock);
  });
  try {
    return await work();
  } finally {
    await rm(lock, { force: true });
  }
}

async function acquire(lock: string, content: string, path: string): Promise<void> {
  while (!(await createIfAbsent(lock, content))) {
    const existing = await textOf(lock);
    // The lock was released in the meantime.
    if (existing === undefined) continue;
    const holder = parseLock(existing);
    if (!holder || !hasEnded(holder)) throw inUseError(path, lock, holder);
    await removeStale(lock, existing);
  }
}

/** Creates a file. Returns false if it exists already. */
async function createIfAbsent(path: string, content: string): Promise<boolean> {
  const handle = await open(path, "wx").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "EEXIST") return undefined;
    throw error;
  });
  if (!handle) return false;
  try {
    await handle.writeFile(content);
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  } finally {
    await handle.close();
  }
  return true;
}

/**
 * Removes a lock file with the content `stale`. In the meantime another process may have removed it and created a new one, so the
 * file is first renamed to a unique name, and restored if its content is different.
 */
async function removeStale(lock: string, stale: string): Promise<void> {
  const moved = join(dirname(lock), `.${temporaryName()}.tmp`);
  try {
    await rename(lock, moved);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
    throw error;
  }
  if ((await textOf(moved)) !== stale) await copyFile(moved, lock, constants.COPYFILE_EXCL).catch(() => {});
  await rm(moved, { force: true });
}

async function textOf(path: string): Promise<string | undefined> {
  return readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
}

function parseLock(text: string): LockHolder | undefined {
  try {
    const { host, pid, start, since } = JSON.parse(text) as Partial<LockHolder>;
    return host && pid && start && since ? { host, pid, start, since } : undefined;
  } catch {
    return undefined;
  }
}

function inUseError(path: string, lock: string, holder: LockHolder | undefined): PushforwardError {
  const isThisHost = holder?.host === thisProcess.host;
  const who = holder ? `process ${holder.pid}${isThisHost ? "" : ` on ${holder.host}`}` : "another process";
  const wait = "Wait until it ends, or give the output another name.";
  return new PushforwardError(
    "FILE",
    `${path} is being written by ${who}${holder ? ` since ${holder.since}` : ""}`,
    {
      hint: isThisHost ? wait : `${wait} If this process has ended, remove its lock: rm ${shellQuoted(lock)}`,
    },
  );
}

/** The path of the lock file of `path`. */
export const lockPath = (path: string): string => `${path}.lock`;
