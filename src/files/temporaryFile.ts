import { readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { hasEnded, thisProcess } from "./processId.ts";

/** Matches the results of `temporaryName`, also as names of hidden files: `.NAME.tmp`. */
const TEMPORARY_NAME =
  /^\.?pushforward-(?<host>.+)-(?<pid>\d+)-(?<start>\d+)-[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}(\.tmp)?$/;

/**
 * A unique name for a temporary file or directory. It contains the host, the id and the start time of this process, so that
 * `removeAbandoned` can tell whether the process that created the file is still running.
 */
export function temporaryName(): string {
  const { host, pid, start } = thisProcess;
  return `pushforward-${host}-${pid}-${start}-${crypto.randomUUID()}`;
}

/**
 * Creates an empty temporary file in `directory`, calls `use` with its path, and removes the file. `use` may rename the file
 * once it is complete: then it stays, and no reader of the new name ever sees a partly written file.
 *
 * Before that, it removes the files that killed processes left in `directory`.
 */
export async function withTemporaryFile<T>(directory: string, use: (path: string) => Promise<T>): Promise<T> {
  await removeAbandoned(directory);
  const path = join(directory, `.${temporaryName()}.tmp`);
  // The file is created here so that a directory that cannot be written to is reported before `use` does its work. The flag wx
  // never opens a file that exists already.
  await writeFile(path, "", { flag: "wx" });
  try {
    return await use(path);
  } finally {
    await rm(path, { force: true });
  }
}

/** Removes the temporary files and directories in `directory` whose processes ran on this host and have ended. */
export async function removeAbandoned(directory: string): Promise<void> {
  // If the directory cannot be read, there is nothing to remove; the caller's own use of it reports the cause.
  for (const name of await readdir(directory).catch(() => [])) {
    const { host, pid, start } = TEMPORARY_NAME.exec(name)?.groups ?? {};
    if (host === undefined || !hasEnded({ host, pid: Number(pid), start: start! })) continue;
    // Removal fails for files of other users, which stay.
    await rm(join(directory, name), { recursive: true, force: true }).catch(() => {});
  }
}
