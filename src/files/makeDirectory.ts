import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { PushforwardError } from "../check/index.ts";
import { writeError } from "./atomicFile.ts";

/**
 * Creates a directory and its parents if they do not exist.
 *
 * @throws FILE if it cannot be created.
 */
export async function makeDirectory(path: string): Promise<void> {
  await mkdir(path, { recursive: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST" && error.code !== "ENOTDIR") throw writeError(error, path);
    // The path of a file with a slash at its end does not exist, and gives ENOTDIR too.
    const reason = existsSync(path.replace(/[\\/]+$/, ""))
      ? "a file has this name"
      : "a part of its path is a file";
    throw new PushforwardError("FILE", `Cannot make the directory ${path}: ${reason}`, {
      hint: "Choose another name, or remove the file.",
      cause: error,
    });
  });
}
