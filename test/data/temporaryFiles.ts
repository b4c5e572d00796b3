import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { PushforwardError } from "../../src/check/errors.ts";

/** A directory that is removed after the tests of the file. */
export function temporaryDirectory() {
  const directory = mkdtempSync(join(tmpdir(), "pushforward-test-"));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  const path = (name: string) => join(directory, name);
  return {
    path,
    list: () => readdirSync(directory).sort(),
    write(name: string, content: string | Uint8Array): string {
      writeFileSync(path(name), content);
      return path(name);
    },
    /** The code and message of the PushforwardError that `promise` rejects with, without the directory. */
    async failure(promise: Promise<unknown> | (() => unknown)): Promise<string> {
      try {
        await (typeof promise === "function" ? promise() : promise);
      } catch (error) {
        if (!(error instanceof PushforwardError)) throw error;
        return `${error.code} ${error.message}`.replaceAll(`${directory}/`, "").replaceAll(directory, "DIR");
      }
      return "no failure";
    },
  };
}

/** Rows of numbers as one row-major chunk. */
export const chunk = (...rows: number[][]): Float64Array => Float64Array.from(rows.flat());
