import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { PushforwardError } from "../errors.ts";

/** Where the built studio is, as seen from this file: in `dist/serve` of a package, or in `src/serve` of the repository. */
const FOLDERS = ["../studio", "../../dist/studio"].map((path) =>
  fileURLToPath(new URL(path, import.meta.url)),
);

/** The files of the built studio by their paths in it, such as `assets/index.js`. Throws `FILE` if it is not built. */
export async function studioBuild(folders: readonly string[] = FOLDERS): Promise<Map<string, string>> {
  const folder = folders.find((each) => existsSync(join(each, "index.html")));
  if (folder === undefined) {
    throw new PushforwardError("FILE", "the studio is not built", { hint: "Build it: npm run build:studio" });
  }
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
  return new Map(files.map((file) => [relative(folder, file).split(sep).join("/"), file]));
}
