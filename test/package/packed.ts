import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { pack } from "../../scripts/npm.mjs";

export const root = fileURLToPath(new URL("../..", import.meta.url));

const { dependencies, optionalDependencies, peerDependencies, exports } = JSON.parse(
  readFileSync(join(root, "package.json"), "utf8"),
) as {
  dependencies: Record<string, string>;
  optionalDependencies: Record<string, string>;
  peerDependencies: Record<string, string>;
  exports: Record<string, { types: string } | string>;
};

/** The packages without which pushforward must work: onnxruntime-node, and what only tables and figures need. */
export const OPTIONAL = Object.keys({ ...optionalDependencies, ...peerDependencies });

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

export interface Installed {
  readonly folder: string;
  remove(): void;
}

/** Builds and packs the package, and returns the path of the tarball in a new folder. */
function buildAndPack(): string {
  const source = mkdtempSync(join(tmpdir(), "pushforward-source-"));
  for (const name of [
    "package.json",
    "README.md",
    "LICENSE",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "docs",
    "examples",
  ])
    cpSync(join(root, name), join(source, name), { recursive: true });
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  const dist = join(source, "dist");
  // npm run typecheck has checked the same files with the same options, which takes as long as all else that this compiler does.
  const emit = ["--outDir", dist, "--tsBuildInfoFile", join(dist, ".tsbuildinfo"), "--noCheck"];
  run(process.execPath, [tsc, "-p", join(root, "tsconfig.build.json"), ...emit], root);
  return pack(source, source);
}

let tarball: string | undefined;

/** The path of the packed package. */
export function packedTarball(): string {
  tarball ??= buildAndPack();
  return tarball;
}

/**
 * Installs the packed package in a new folder, with its dependencies and the types of Node. All but the packages `without` are
 * linked from this repository, so the test needs no registry.
 */
export function installPacked(without: readonly string[] = []): Installed {
  const folder = mkdtempSync(join(tmpdir(), "pushforward-package-"));
  const modules = join(folder, "node_modules");
  mkdirSync(join(modules, "pushforward"), { recursive: true });
  run("tar", ["xzf", packedTarball(), "-C", join(modules, "pushforward"), "--strip-components=1"], folder);
  for (const name of [...Object.keys(dependencies), ...OPTIONAL, "@types/node"]) {
    if (without.includes(name)) continue;
    mkdirSync(dirname(join(modules, name)), { recursive: true });
    symlinkSync(join(root, "node_modules", name), join(modules, name), "junction");
  }
  return { folder, remove: () => rmSync(folder, { recursive: true }) };
}

/** Removes the tarball. */
export function removePacked(): void {
  if (tarball) rmSync(dirname(tarball), { recursive: true });
  tarball = undefined;
}

/** Runs Node in the folder of an installation, and returns its exit status and outputs. */
export function runNode(folder: string, words: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, words, {
    cwd: folder,
    encoding: "utf8",
    env: { ...process.env, NO_COLOR: "1" },
  });
  return { status, stdout, stderr };
}

/** The file of an entry point, below src. */
export const entryFile = (entryPoint: string): string =>
  entryPoint === "pushforward" ? "index.ts" : `public/${entryPoint.slice("pushforward/".length)}.ts`;
