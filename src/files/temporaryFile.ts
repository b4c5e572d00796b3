import { readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { hasEnded, thisProcess } from "./processId.ts";

/** A name from `temporaryName`, which contains the process that the file or directory belongs to. */
const NAME =
  /^\.?pushforward-(?<host>.+)-(?<pid>\d+)-(?<start>\d+)-[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}(\.tmp)?$/;

/** A name that nothing else has. */
export function temporaryName(): string {
  const { host, pid, start } = thisProcess;
  return `pushforward-${host}-${pid}-${start}-${crypto.randomUUID()}`;
}

/** Lets `use` have an empty file in `directory`, which is removed afterwards unless it was renamed. */
export async function withTemporaryFile<T>(directory: string, use: (path: string) => Promise<T>): Promise<T> {
  await removeAbandoned(directory);
  const path = join(directory, `.${temporaryName()}.tmp`);
  await writeFile(path, "", { flag: "wx" });
  try {
    return await use(path);
  } finally {
    await rm(path, { force: true });
  }
}

/** Removes the temporary files and directories that processes of this host left in `directory` when they were killed. */
export async function removeAbandoned(directory: string): Promise<void> {
  for (const name of await readdir(directory).catch(() => [])) {
    const { host, pid, start } = NAME.exec(name)?.groups ?? {};
    if (host === undefined || !hasEnded({ host, pid: Number(pid), start: start! })) continue;
    // Files of other users cannot be removed here.
    await rm(join(directory, name), { recursive: true, force: true }).catch(() => {});
  }
}
