import { stat } from "node:fs/promises";
import { PushforwardError } from "../errors.ts";

/** A file as it was at one moment. A table is read several times, and these readings fit together only if the file is the same. */
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

  /** @throws FILE when the file is another one than at first, or was written since. */
  async check(): Promise<void> {
    if ((await versionOf(this.#path)) === this.#version) return;
    throw new PushforwardError("FILE", `${this.#path} changed while it was read`, {
      expected: "the same content to the end",
      hint: "Run the command again when nothing writes to the file, or on a copy of it.",
    });
  }
}

/** Identifies the version of a regular file; undefined for others, since the times of a pipe mean nothing. */
async function versionOf(path: string): Promise<string | undefined> {
  const found = await stat(path, { bigint: true }).catch(() => undefined);
  return found?.isFile() ? [found.dev, found.ino, found.size, found.mtimeNs].join() : undefined;
}
