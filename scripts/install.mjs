// Runs npm ci if node_modules is missing or older than package-lock.json.
import { existsSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { runNpm } from "./npm.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const installed = `${root}node_modules/.package-lock.json`;
const lock = `${root}package-lock.json`;
if (!existsSync(installed) || statSync(installed).mtimeMs < statSync(lock).mtimeMs) {
  console.error("Installing dependencies...");
  runNpm(["ci", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: root,
    stdio: ["ignore", "inherit", "inherit"],
  });
}
