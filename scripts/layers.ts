/**
 * The layers of `src`: which room may import which. `layers.json` is the only table of them; the linter (`npm run lint`), the tests and
 * docs/design.md read it.
 */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

/** A room: a folder of `src` with one door, its `index.ts`. Its other folders belong to it. */
export interface Layer {
  /** The path of the folder below `src`. A folder of a wing has the name of the wing first: `tables/io`. */
  readonly room: string;
  /** What lives there, as the first words of its `index.ts` and of its row in docs/design.md. */
  readonly what: string;
  /** Whether its code needs Node, so that rooms for browsers may not import it. */
  readonly node?: boolean;
  /** Packages that a room for browsers may import, besides zod. */
  readonly packages?: readonly string[];
}

/** The folders whose rooms do not import those of another wing. */
const WINGS = ["tables", "images", "inference"];

export const root = fileURLToPath(new URL("..", import.meta.url));

/** The rooms from the lowest. A room may import those above it in this list, but not those of another wing. */
export const layers: readonly Layer[] = JSON.parse(readFileSync(join(root, "layers.json"), "utf8"));

/** Whether a file is an entry point of the package. These files may import every door, and each other. */
const isEntryPoint = (file: string): boolean => file === "index.ts" || file.startsWith("public/");

/** The room of a file, by its path below `src`: of two rooms that contain it, the inner one. */
export function roomOf(file: string): Layer | undefined {
  const rooms = layers.filter(({ room }) => file.startsWith(`${room}/`));
  return rooms.sort((a, b) => b.room.length - a.room.length)[0];
}

const wingOf = ({ room }: Layer): string | undefined => WINGS.find((wing) => wing === room.split("/")[0]);

/** What is wrong with an import, or undefined. `file` is a path below `src`, and `specifier` what it imports. */
export function problemOf(file: string, specifier: string): string | undefined {
  const from = roomOf(file);
  if (!from && !isEntryPoint(file)) return "the file is in no room of layers.json";
  if (!specifier.startsWith(".")) return from && packageProblem(from, specifier);
  const target = posix.normalize(posix.join(dirname(file), specifier));
  if (!from && target.startsWith("public/")) return undefined;
  const to = roomOf(target);
  if (!to) return "only rooms can be imported";
  if (from === to)
    return target === `${to.room}/index.ts` ? "a room does not import its own door" : undefined;
  if (target !== `${to.room}/index.ts`) return `${to.room} is imported through ${to.room}/index.ts`;
  if (!from) return undefined;
  if (layers.indexOf(to) > layers.indexOf(from)) return `${from.room} is below ${to.room}`;
  const wings = [wingOf(from), wingOf(to)];
  if (wings[0] && wings[1] && wings[0] !== wings[1]) return `${wings[0]} and ${wings[1]} are two wings`;
  if (to.node && !from.node) return `${from.room} runs in browsers, and ${to.room} needs Node`;
  return undefined;
}

function packageProblem({ room, node, packages = [] }: Layer, specifier: string): string | undefined {
  const isEngine = /^#?onnxruntime/.test(specifier) || /^pushforward\b/.test(specifier);
  if (node)
    return isEngine ? "only runtime imports ONNX Runtime, and no room imports the package" : undefined;
  const isAllowed = ["zod", ...packages].some(
    (name) => specifier === name || specifier.startsWith(`${name}/`),
  );
  return isAllowed ? undefined : `${room} runs in browsers, and may not import this package`;
}

/** The imports of a file's text that break a rule, with the line of each. */
export function problemsIn(
  file: string,
  text: string,
): { line: number; specifier: string; problem: string }[] {
  return ts.preProcessFile(text, true, true).importedFiles.flatMap(({ fileName: specifier, pos }) => {
    const problem = problemOf(file, specifier);
    return problem === undefined ? [] : [{ line: text.slice(0, pos).split("\n").length, specifier, problem }];
  });
}

/** The paths below `src` of its TypeScript files. */
export function sourceFiles(folder = ""): string[] {
  return readdirSync(join(root, "src", folder), { withFileTypes: true }).flatMap((entry) => {
    const path = posix.join(folder, entry.name);
    if (entry.isDirectory()) return sourceFiles(path);
    return entry.name.endsWith(".ts") ? [path] : [];
  });
}
