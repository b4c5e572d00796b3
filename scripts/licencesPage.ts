import { readFileSync } from "node:fs";

interface LockedPackage {
  readonly license?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const json = (path: string) => JSON.parse(readFileSync(new URL(path, import.meta.url), "utf8"));
const { dependencies, optionalDependencies, peerDependencies } = json("../package.json") as Record<
  "dependencies" | "optionalDependencies" | "peerDependencies",
  Readonly<Record<string, string>>
>;
const locked = json("../package-lock.json").packages as Readonly<Record<string, LockedPackage>>;

/**
 * Licences that allow anyone to use, change and distribute a package in any program, even a proprietary one. MPL-2.0 asks for the source of
 * changed files of the package itself.
 */
export const ALLOWED_LICENCES: ReadonlySet<string> = new Set([
  "0BSD",
  "Apache-2.0",
  "BSD-2-Clause",
  "BSD-3-Clause",
  "BlueOak-1.0.0",
  "CC0-1.0",
  "ISC",
  "MIT",
  "MPL-2.0",
  "OFL-1.1",
  "Python-2.0",
  "Unlicense",
  "Zlib",
]);

/** The licences in an expression of SPDX: "(MIT AND Zlib)" has two. */
export const licencesIn = (expression: string): string[] =>
  expression.replace(/[()]/g, "").split(/ AND | OR /);

/** The licence of every package in package-lock.json, including development dependencies, by its path. */
export const allLicences = (): Map<string, string> =>
  new Map(
    Object.entries(locked).flatMap(([path, { license }]) => (path === "" ? [] : [[path, license ?? "none"]])),
  );

/** Where npm has installed a dependency of the package at `path`: in its own node_modules, or in those above. */
function installedPath(path: string, name: string): string | undefined {
  const own = `${path === "" ? "" : `${path}/`}node_modules/${name}`;
  if (own in locked) return own;
  if (path === "") return undefined;
  return installedPath(path.slice(0, Math.max(0, path.lastIndexOf("/node_modules/"))), name);
}

/** A package with all that it depends on, by their paths. A package of another platform may not be in the lock file. */
function withDependencies(path: string, found = new Set<string>()): Set<string> {
  if (found.has(path)) return found;
  found.add(path);
  const { dependencies, optionalDependencies } = locked[path]!;
  for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
    const installed = installedPath(path, name);
    if (installed !== undefined) withDependencies(installed, found);
  }
  return found;
}

/** A dependency of pushforward, and a list of the packages that npm installs for it, by their licences. */
function section(name: string): string {
  const groups = new Map<string, Set<string>>();
  for (const path of withDependencies(installedPath("", name)!)) {
    const licence = locked[path]!.license ?? "none";
    const names = groups.get(licence) ?? new Set();
    groups.set(licence, names.add(path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length)));
  }
  const items = Array.from(groups, ([licence, names]) => `- ${licence}: ${[...names].sort().join(", ")}`);
  return [`### ${name}`, "", ...items.sort(), ""].join("\n");
}

/** The page docs/licences.md. */
export const licencesPage = (): string => `# Licences

pushforward has the MIT licence. These are the licences of the packages that are installed with it, each with those that it depends on, as their
authors state them in package.json. \`npm run licences\` writes this page from package-lock.json, and a test checks that every licence, including
those of development dependencies, allows use in any program.

## Installed with pushforward

${Object.keys({ ...dependencies, ...optionalDependencies })
  .map(section)
  .join("\n")}
## Optional packages

${Object.keys(peerDependencies).map(section).join("\n")}`;
