// npm for the scripts and tests. On Windows, Node does not start npm.cmd without a shell, so it runs npm's program itself.
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";

function npmCommand() {
  if (process.platform !== "win32") return ["npm"];
  // npm sets this variable for the scripts that it runs. Other package managers set it too.
  const { npm_execpath: running = "" } = process.env;
  const installed = join(dirname(process.execPath), "node_modules/npm/bin/npm-cli.js");
  return [process.execPath, running.endsWith("npm-cli.js") ? running : installed];
}

/** Runs npm, and returns what it wrote. Throws this if npm fails. */
export function runNpm(args, options) {
  const [command, ...first] = npmCommand();
  const { status, stdout, stderr, error } = spawnSync(command, [...first, ...args], {
    encoding: "utf8",
    ...options,
  });
  if (status === 0) return { stdout, stderr };
  throw new Error(`npm ${args.join(" ")} failed. ${stdout ?? ""}${stderr ?? ""}${error ?? ""}`);
}

/** The environment variables without the configuration of this repository, which npm passes on in them. */
export const plainEnvironment = () =>
  Object.fromEntries(Object.entries(process.env).filter(([key]) => !/^npm_/i.test(key)));

/** Packs the package in a folder, and returns the path of the tarball in another folder. */
export function pack(source, folder) {
  const args = ["pack", "--ignore-scripts", "--loglevel=error", "--pack-destination", folder];
  runNpm(args, { cwd: source, env: plainEnvironment() });
  return join(
    folder,
    readdirSync(folder).find((file) => file.endsWith(".tgz")),
  );
}

/** Installs packages in a folder, as a user does. */
export function installPackages(project, args) {
  runNpm(["install", "--no-audit", "--no-fund", "--loglevel=error", ...args], {
    cwd: project,
    env: plainEnvironment(),
  });
}
