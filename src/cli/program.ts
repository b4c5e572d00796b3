import { basename, delimiter, dirname, relative, resolve, sep } from "node:path";
import { shellQuoted } from "../data/columnList.ts";

/** How a process was started; `process` has these fields. */
export interface Start {
  readonly argv: readonly string[];
  readonly execArgv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  cwd(): string;
}

/**
 * The words that start this program again from the same directory: `pushforward` where that is on the path, `npx
 * pushforward` in a project that has it installed, or else `node` with the file, as in a clone.
 */
export function programOf({ argv, execArgv, env, cwd }: Start): string {
  const file = argv[1] ?? "";
  const directory = dirname(file);
  if (/[\\/]node_modules[\\/](\.bin[\\/]pushforward|pushforward[\\/].*)$/.test(file))
    return "npx pushforward";
  const onPath = () => (env.PATH ?? "").split(delimiter).some((path) => resolve(path) === directory);
  if (basename(file) === "pushforward" && onPath()) return "pushforward";
  const path = relative(cwd(), file);
  const shorter = path.startsWith(`..${sep}..`) ? file : path;
  return ["node", ...execArgv, shorter].map(shellQuoted).join(" ");
}

let started = "pushforward";

/** Sets the result of `program`, once at the start. */
export function setProgram(words: string): void {
  started = words;
}

/** The words that a user types before the name of a command. Every command that is printed begins with them. */
export const program = (): string => started;
