// Installs the packed package from the npm registry in an empty folder, as a user does, and scores a row: after `npm run build`.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { installPackages, pack } from "./npm.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "pushforward-install-"));
const { optionalDependencies, devDependencies } = JSON.parse(
  readFileSync(join(root, "package.json"), "utf8"),
);

const PROGRAM = `
import { nsf } from "pushforward";
const [logDensity] = await nsf(2, { seed: 1 }).logProb([0, 0]);
if (!(Math.abs(logDensity + Math.log(2 * Math.PI)) < 1e-5)) throw new Error(\`log-density \${logDensity}\`);
`;

/** Installs in an empty folder, and returns the size of the installation. */
function install(name, ...args) {
  const project = join(folder, name);
  mkdirSync(project);
  writeFileSync(join(project, "package.json"), "{}");
  writeFileSync(join(project, "score.mjs"), PROGRAM);
  installPackages(project, args);
  execFileSync(process.execPath, ["score.mjs"], { cwd: project, stdio: "inherit" });
  const modules = join(project, "node_modules");
  const files = readdirSync(modules, { recursive: true, withFileTypes: true }).filter((file) =>
    file.isFile(),
  );
  const bytes = files.reduce((sum, file) => sum + readFileSync(join(file.parentPath, file.name)).length, 0);
  const packages = Object.keys(
    JSON.parse(readFileSync(join(modules, ".package-lock.json"), "utf8")).packages,
  );
  console.log(`${name}: ${Math.round(bytes / 1e6)} MB, ${packages.length} packages`);
}

try {
  const tarball = pack(root, folder);
  const native = `onnxruntime-node@${optionalDependencies["onnxruntime-node"]}`;
  const duckdb = `@duckdb/node-api@${devDependencies["@duckdb/node-api"]}`;
  // Where the install script of onnxruntime-node cannot download its files, npm leaves the package out, and goes on.
  install("default", tarball);
  install("without onnxruntime-node", tarball, "--omit=optional");
  install("with onnxruntime-node", tarball, native, "--ignore-scripts");
  install("with tables", tarball, native, duckdb, "--ignore-scripts");
} finally {
  rmSync(folder, { recursive: true });
}
