import { constants } from "node:fs";
import { copyFile, open, readFile, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { PushforwardError } from "../errors.ts";
import { writeError } from "../files/atomicFile.ts";
import { hasEnded, type ProcessId, thisProcess } from "../files/processId.ts";
import { temporaryName } from "../files/temporaryFile.ts";
import { shellQuoted } from "./columnList.ts";

/** What a lock file says about who holds it. */
interface Holder extends ProcessId {
  readonly since: string;
}

/**
 * Runs `work` while no other process can do so for the same `path`: `path` with `.lock` exists meanwhile and names the
 * process. The lock of a process that was killed on this host is taken over.
 *
 * @throws FILE at once when another process holds the lock, or it cannot be written.
 */
export async function withFileLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  const lock = lockOf(path);
  const holder: Holder = { ...thisProcess, since: new Date().toISOString() };
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
  while (!(await createExclusively(lock, content))) {
    const held = await textOf(lock);
    // Released a moment ago.
    if (held === undefined) continue;
    const holder = parseHolder(held);
    if (!holder || !hasEnded(holder)) throw inUse(path, lock, holder);
    await removeStale(lock, held);
  }
}

/** Whether the file was created; false if there is one already. */
async function createExclusively(path: string, content: string): Promise<boolean> {
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
 * Removes a lock whose content is `stale`. Another process may do the same and lock anew in between, so the file is first
 * moved to a name that nobody else has, and put back if it is not the stale one.
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

function parseHolder(text: string): Holder | undefined {
  try {
    const { host, pid, start, since } = JSON.parse(text) as Partial<Holder>;
    return host && pid && start && since ? { host, pid, start, since } : undefined;
  } catch {
    return undefined;
  }
}

function inUse(path: string, lock: string, holder: Holder | undefined): PushforwardError {
  const here = holder?.host === thisProcess.host;
  const who = holder ? `process ${holder.pid}${here ? "" : ` on ${holder.host}`}` : "another process";
  const wait = "Wait until it ends, or give the output another name.";
  return new PushforwardError(
    "FILE",
    `${path} is being written by ${who}${holder ? ` since ${holder.since}` : ""}`,
    {
      hint: here ? wait : `${wait} If it does not run any more, remove its lock: rm ${shellQuoted(lock)}`,
    },
  );
}

/** The file that stands for the lock of `path`. */
export const lockOf = (path: string): string => `${path}.lock`;
