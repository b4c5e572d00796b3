import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import "../../studio/test/build.ts";
import { buildSite } from "../build.ts";

/** Builds the site once for all tests, for the path at which they serve it. */
export default async function setup(project: TestProject): Promise<() => void> {
  const folder = mkdtempSync(join(tmpdir(), "pushforward-site-"));
  // Vitest sets NODE_ENV to "test", with which Vite would make bundles for development.
  const { NODE_ENV } = process.env;
  process.env.NODE_ENV = "production";
  await buildSite({ folder, base: "/some/path/", logLevel: "error" });
  process.env.NODE_ENV = NODE_ENV;
  project.provide("folder", folder);
  return () => rmSync(folder, { recursive: true });
}
