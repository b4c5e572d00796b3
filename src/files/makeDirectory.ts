import { mkdir } from "node:fs/promises";
import { writeError } from "./atomicFile.ts";

/**
 * Creates a directory and its parents if they do not exist.
 *
 * @throws FILE if it cannot be created.
 */
export async function makeDirectory(path: string): Promise<void> {
  await mkdir(path, { recursive: true }).catch((error: unknown) => {
    throw writeError(error, path);
  });
}
