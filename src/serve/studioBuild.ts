import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { PushforwardError } from "../check/index.ts";

/** Where the built studio is, as seen from this file: in `dist/serve` of a package, or in `src/serve` of the repository. */
const DIRECTORIES = ["../studio", "../../dist/studio"].map((path) =>
  fileURLToPath(new URL(path, import.meta.url)),
);

/** The files of the built studio by their paths in it, such as `assets/index.js`. Throws `FILE` if it is not built. */
export async function studioBuild(
  directories: readonly string[] = DIRECTORIES,
): Promise<Map<string, string>> {
  const directory = directories.find((each) => existsSync(join(each, "index.html")));
  if (directory === undefined) {
    throw new PushforwardError("FILE", "the studio is not built", { hint: "Build it: npm run build:studio" });
  }
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
  return new Map(files.map((file) => [relative(directory, file).split(sep).join("/"), file]));
}
