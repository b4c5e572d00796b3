import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { expect, test } from "vitest";

// Names are the field's terms, and each has one meaning: docs/glossary.md. These words had several, or are not in use elsewhere.

const root = fileURLToPath(new URL("..", import.meta.url));

/** Words that no identifier may contain, and what to write. Words are those of camelCase, in lower case. */
const BANNED: Readonly<Record<string, string>> = {
  accusation: "message",
  alone: "only, single",
  apart: "split, separate",
  aside: "heldOut",
  bend: "the name in the formula",
  bent: "the name in the formula",
  caution: "STEP_REDUCTION and the like",
  culprit: "NonFiniteSource",
  enough: "MIN_... or MAX_...",
  enveloped: "wrapped",
  feed: "addInputs",
  fillers: "padding",
  forgotten: "evicted, released",
  judge: "evaluate",
  judged: "evaluated",
  judgement: "evaluation",
  judges: "evaluates",
  lanes: "VECTOR_WIDTH",
  lost: "unreachable, negligible",
  march: "solve",
  mend: "hint",
  numberings: "degrees",
  owed: "pending",
  parcel: "parameterBlock",
  parcels: "parameterBlocks",
  settle: "initializeFromData",
  settled: "converged",
  sofar: "sum, accumulated",
  stretches: "ranges",
  sweep: "pass",
  team: "ShardedFunction, PoolWorker",
  tiny: "MIN_... with its unit",
  together: "joined, concatenated",
  turn: "call, step, iteration",
  turned: "transposed, inverted, reflected",
  turns: "calls, steps, iterations",
  unbend: "the inverse's name in the formula",
  weigh: "importanceWeights",
  youth: "WARM_UP_EPOCHS and the like",
};

function* sources(folder: string): Generator<string> {
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
    if (entry.name === "node_modules") continue;
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) yield* sources(path);
    else if (path.endsWith(".ts")) yield path;
  }
}

/** Of JavaScript itself. */
const BUILT_IN = new Set(["allSettled"]);

const wordsOf = (identifier: string): string[] =>
  identifier
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .split(/[_$#]+/)
    .map((word) => word.toLowerCase());

test("identifiers are split into words", () => {
  expect(wordsOf("#turnedNodes")).toEqual(["", "turned", "nodes"]);
  expect(wordsOf("MAX_TURNS")).toEqual(["max", "turns"]);
  expect(wordsOf("returnValue")).toEqual(["return", "value"]);
});

const bannedWords = new Map<string, string | undefined>();
/** The first banned word in an identifier. */
function bannedWordOf(identifier: string): string | undefined {
  if (!bannedWords.has(identifier)) {
    const words = BUILT_IN.has(identifier) ? [] : wordsOf(identifier);
    const banned = words.find((part) => Object.hasOwn(BANNED, part));
    bannedWords.set(identifier, banned);
  }
  return bannedWords.get(identifier);
}

const FOLDERS = ["src", "test", "bench", "scripts", "examples", "kernels"];

test(`no identifier in ${FOLDERS.join(", ")} has a banned word`, () => {
  const found: string[] = [];
  for (const path of FOLDERS.flatMap((folder) => [...sources(folder)])) {
    const text = readFileSync(join(root, path), "utf8");
    // Parsing takes long. Most files have none of the words, not even in a comment.
    if (!text.match(/[\p{L}_$#][\w$]*/gu)?.some(bannedWordOf)) continue;
    const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
    const visit = (node: ts.Node): void => {
      if (ts.isIdentifier(node) || ts.isPrivateIdentifier(node)) {
        const word = bannedWordOf(node.text);
        // The keys of the table above are identifiers too.
        if (word && path !== "test/language.test.ts") {
          const { line } = file.getLineAndCharacterOfPosition(node.getStart());
          found.push(`${path}:${line + 1} ${node.text}: write ${BANNED[word]}`);
        }
      }
      ts.forEachChild(node, visit);
    };
    visit(file);
  }
  expect(found).toEqual([]);
});

test("the names in the glossary exist", () => {
  const text = readFileSync(join(root, "docs/glossary.md"), "utf8");
  const rows = text.split("\n").filter((line) => /^\| [^-]/.test(line) && !line.startsWith("| term"));
  const names = rows.flatMap((row) =>
    Array.from(
      row
        .split("|")
        .at(-2)!
        .matchAll(/`([^`]+)`/g),
      ([, name]) => name,
    ),
  );
  expect(names.length).toBeGreaterThan(40);
  const code = [...sources("src")].map((path) => readFileSync(join(root, path), "utf8")).join("\n");
  const isThere = (name: string) =>
    name.split(/[./]/).every((part) => new RegExp(`\\b${part}\\b`).test(code));
  expect(names.filter((name) => !isThere(name))).toEqual([]);
});
