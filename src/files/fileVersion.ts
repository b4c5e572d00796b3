import { stat } from "node:fs/promises";
import { PushforwardError } from "../check/index.ts";

/**
 * The version of a file at one moment. A table is read several times, and the results are consistent only if the file does not
 * change.
 */
export class FileVersion {
  readonly #path: string;
  readonly #version: string | undefined;

  private constructor(path: string, version: string | undefined) {
    this.#path = path;
    this.#version = version;
  }

  static async of(path: string): Promise<FileVersion> {
    return new FileVersion(path, await versionOf(path));
  }

  /** @throws FILE if the file was replaced or written since. */
  async check(): Promise<void> {
    if ((await versionOf(this.#path)) === this.#version) return;
    throw new PushforwardError("FILE", `${this.#path} changed while it was read`, {
      expected: "a file that does not change",
      hint: "Run the command again when no other program writes to the file, or use a copy.",
    });
  }
}

/** Identifies the version of a regular file. Undefined for pipes and devices, whose modification times have no meaning. */
async function versionOf(path: string): Promise<string | undefined> {
  const stats = await stat(path, { bigint: true }).catch(() => undefined);
  return stats?.isFile() ? [stats.dev, stats.ino, stats.size, stats.mtimeNs].join() : undefined;
}
