import { cpSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build as buildStudio, type LogLevel } from "vite";
import { build as buildPages } from "vitepress";
import { writeReference } from "./api.ts";

const here = fileURLToPath(new URL(".", import.meta.url));
const root = join(here, "..");

export interface SiteOptions {
  /** The folder that is written. */
  readonly folder: string;
  /** The path of the site on its host: `/`, or for example `/pushforward/`. */
  readonly base: string;
  readonly logLevel?: LogLevel;
}

/** Builds the whole site: the documentation, the API reference and the studio. A dead link between pages is an error. */
export async function buildSite({ folder, base, logLevel = "info" }: SiteOptions): Promise<void> {
  await writeReference(join(here, "api"));
  await buildPages(here, { outDir: folder, base });
  await buildStudio({
    configFile: join(root, "studio/vite.config.ts"),
    build: { outDir: join(folder, "studio") },
    logLevel,
  });
  // Pages link to this file.
  cpSync(join(root, "bench/images/digits.safetensors"), join(folder, "bench/images/digits.safetensors"));
}
