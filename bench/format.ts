import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const BIOME = fileURLToPath(new URL("../node_modules/@biomejs/biome/bin/biome", import.meta.url));

/**
 * Formats the files of a folder of bench/ with Biome. A program with arguments calls this: npm would append them to a second command of
 * its script, and .npmrc disables scripts that run after another one.
 */
export function formatFolder(name: string): void {
  const folder = fileURLToPath(new URL(name, import.meta.url));
  const { status } = spawnSync(process.execPath, [BIOME, "format", "--write", folder], { stdio: "inherit" });
  if (status !== 0) throw new Error(`bench/${name} was not formatted`);
}
