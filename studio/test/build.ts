import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  interface ProvidedContext {
    /** The folder of the built pages. */
    folder: string;
  }
}

/** Builds pages once for all tests, in a new folder. Returns the function that removes it. */
export async function buildForTests(
  project: TestProject,
  buildInto: (folder: string) => Promise<unknown>,
): Promise<() => void> {
  const folder = mkdtempSync(join(tmpdir(), "pushforward-pages-"));
  // Vitest sets NODE_ENV to "test", with which Vite would make a bundle for development.
  const { NODE_ENV } = process.env;
  process.env.NODE_ENV = "production";
  await buildInto(folder);
  process.env.NODE_ENV = NODE_ENV;
  project.provide("folder", folder);
  return () => rmSync(folder, { recursive: true });
}

export default (project: TestProject) =>
  buildForTests(project, (folder) =>
    build({
      configFile: fileURLToPath(new URL("../vite.config.ts", import.meta.url)),
      logLevel: "error",
      build: { outDir: folder, reportCompressedSize: false },
    }),
  );
