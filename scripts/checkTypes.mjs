// Packs the package, after `npm run build`, and fails if TypeScript does not find the types of an entry point.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";
import { pack } from "./npm.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const { exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const entryPoints = Object.keys(exports).filter((path) => typeof exports[path] === "object");
const folder = mkdtempSync(join(tmpdir(), "pushforward-types-"));

try {
  const result = await checkPackage(createPackageFromTarballData(readFileSync(pack(root, folder))));
  if (!result.types) throw new Error("the package has no types");
  const missing = entryPoints.filter((path) => !(path in result.entrypoints));
  if (missing.length > 0) throw new Error(`these entry points were not found: ${missing.join(", ")}`);
  // The package has ES modules only, and TypeScript's old resolution "node10" does not read `exports`.
  const problems = result.problems.filter(
    ({ kind, resolutionKind }) => kind !== "CJSResolvesToESM" && resolutionKind !== "node10",
  );
  if (problems.length > 0) throw new Error(JSON.stringify(problems, undefined, 2));
  console.log(`TypeScript finds the types of ${entryPoints.length} entry points`);
} finally {
  rmSync(folder, { recursive: true });
}
