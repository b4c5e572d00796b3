import { basename, delimiter, dirname, relative, resolve, sep } from "node:path";
import { shellQuoted } from "../check/index.ts";

/** How a process was started: the fields of `process` that tell it. */
export interface Start {
  readonly argv: readonly string[];
  readonly execArgv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  cwd(): string;
}

/**
 * The words that start this program again from the same directory: `pushforward` if it is on the path, `npx pushforward` in a
 * project that has installed it, and otherwise `node` with the path of the file.
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

let words = "pushforward";

/** Sets the result of `program`. */
export function setProgram(start: string): void {
  words = start;
}

/** The words that a user types before the name of a command. All printed commands begin with them. */
export const program = (): string => words;
