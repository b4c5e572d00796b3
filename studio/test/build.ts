import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  interface ProvidedContext {
    /** The folder of the built studio. */
    folder: string;
  }
}

/** Builds the studio once for all tests. */
export default async function setup(project: TestProject): Promise<() => void> {
  const folder = mkdtempSync(join(tmpdir(), "pushforward-studio-"));
  // Vitest sets NODE_ENV to "test", with which Vite would make a bundle for development.
  const { NODE_ENV } = process.env;
  process.env.NODE_ENV = "production";
  await build({
    configFile: fileURLToPath(new URL("../vite.config.ts", import.meta.url)),
    logLevel: "error",
    build: { outDir: folder, reportCompressedSize: false },
  });
  process.env.NODE_ENV = NODE_ENV;
  project.provide("folder", folder);
  return () => rmSync(folder, { recursive: true });
}
