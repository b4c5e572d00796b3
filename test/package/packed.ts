import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../..", import.meta.url));

const { dependencies, exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
  dependencies: Record<string, string>;
  exports: Record<string, { types: string } | string>;
};

/** The names by which programs import the package: `pushforward`, `pushforward/graph`... */
export const entryPoints = Object.entries(exports)
  .filter(([, target]) => typeof target === "object")
  .map(([path]) => `pushforward${path.slice(1)}`);

/** Runs a program and returns its output; throws the output if it fails. */
function run(command: string, words: readonly string[], cwd: string): string {
  const { status, stdout, stderr } = spawnSync(command, words, { cwd, encoding: "utf8" });
  if (status !== 0) throw new Error(`${command} ${words.join(" ")}\n${stdout}${stderr}`);
  return stdout;
}

/** What a TypeScript compiler says of a project: nothing if there are no errors. */
export function compileErrors(compiler: string, project: string): string {
  const tsc = join(root, "node_modules", compiler, "bin/tsc");
  return spawnSync(process.execPath, [tsc, "-p", project], { encoding: "utf8" }).stdout;
}

/** A folder in which the packed package is installed, with its dependencies and the types of Node. */
export function installPacked(): { folder: string; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), "pushforward-package-"));
  const source = join(folder, "source");
  mkdirSync(source);
  for (const file of ["package.json", "README.md", "LICENSE", "CHANGELOG.md"])
    cpSync(join(root, file), join(source, file));
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  const emit = ["--outDir", join(source, "dist"), "--incremental", "false", "--tsBuildInfoFile", "null"];
  run(process.execPath, [tsc, "-p", join(root, "tsconfig.build.json"), ...emit], root);
  const npm = process.platform === "win32" ? "npm.cmd" : "npm";
  run(npm, ["pack", "--ignore-scripts", "--loglevel=error"], source);
  const tarball = readdirSync(source).find((name) => name.endsWith(".tgz"))!;

  const modules = join(folder, "node_modules");
  mkdirSync(join(modules, "pushforward"), { recursive: true });
  run(
    "tar",
    ["xzf", join(source, tarball), "-C", join(modules, "pushforward"), "--strip-components=1"],
    folder,
  );
  rmSync(source, { recursive: true });
  for (const name of [...Object.keys(dependencies), "@types/node"]) {
    mkdirSync(dirname(join(modules, name)), { recursive: true });
    symlinkSync(join(root, "node_modules", name), join(modules, name), "junction");
  }
  return { folder, remove: () => rmSync(folder, { recursive: true }) };
}
