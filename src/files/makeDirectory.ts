import { mkdir } from "node:fs/promises";
import { writeError } from "./atomicFile.ts";

/**
 * Makes a directory, with those above it, unless it exists.
 *
 * @throws FILE if it cannot be made.
 */
export async function makeDirectory(path: string): Promise<void> {
  await mkdir(path, { recursive: true }).catch((error: unknown) => {
    throw writeError(error, path);
  });
}
