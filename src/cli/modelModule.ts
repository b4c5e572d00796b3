import { existsSync } from "node:fs";
import { createRequire, register } from "node:module";
import { extname, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { brief, PushforwardError } from "../check/index.ts";
import type { ProbabilisticModel, Simulator } from "../inference/index.ts";

/** The endings of programs, and whether they are TypeScript. */
const ENDINGS: Readonly<Record<string, boolean>> = { ".ts": true, ".mts": true, ".js": false, ".mjs": false };

/** Packages that compile TypeScript for a Node that does not read it, the fastest first. Most projects have one of them. */
const COMPILERS = ["esbuild", "typescript"] as const;

/**
 * Runs a program in TypeScript or JavaScript and returns the model or the simulator that is its default export.
 *
 * @throws FILE if there is no such file; ARGUMENT for another ending; DEPENDENCY if neither Node nor a package reads TypeScript; MODEL if
 *   the program fails, or exports no model.
 */
export async function loadModelModule(path: string): Promise<ProbabilisticModel | Simulator> {
  const isTypeScript = ENDINGS[extname(path)];
  if (isTypeScript === undefined) {
    throw new PushforwardError("ARGUMENT", `${path} is not a program`, {
      expected: `a name that ends in ${Object.keys(ENDINGS).join(", ")}`,
      hint: "Write the model in TypeScript or JavaScript, as in the example of docs/inference.md.",
    });
  }
  if (!existsSync(path)) {
    throw new PushforwardError("FILE", `${path} does not exist`, {
      hint: "Check the path, and run the command again.",
    });
  }
  const { href } = pathToFileURL(resolve(path));
  const extension = extname(import.meta.url);
  register(new URL("./moduleHooks.js", import.meta.url), {
    data: {
      root: new URL("../", import.meta.url).href,
      extension,
      ...(isTypeScript && { compiler: compilerFor(href) }),
    },
  });
  process.setSourceMapsEnabled(true);
  const exported = await import(href).catch((error: unknown) => {
    throw failureOf(error, path, href);
  });
  return checkedModel(exported.default, path);
}

/** The compiler that is installed beside the program or with pushforward; undefined if Node reads TypeScript itself. */
function compilerFor(program: string): { name: string; url: string } | undefined {
  if ("typescript" in process.features && process.features.typescript) return undefined;
  for (const location of [program, import.meta.url]) {
    for (const name of COMPILERS) {
      try {
        return { name, url: pathToFileURL(createRequire(location).resolve(name)).href };
      } catch {
        // This compiler is not installed there.
      }
    }
  }
  throw new PushforwardError("DEPENDENCY", `Node ${process.versions.node} does not read TypeScript`, {
    hint: "Install esbuild beside the model (npm install --save-dev esbuild), use Node 22.18 or later, or write the model in JavaScript.",
  });
}

/** An error of the program, with its line if the stack trace has it. */
function failureOf(error: unknown, path: string, href: string): PushforwardError {
  const stack = error instanceof Error ? String(error.stack) : "";
  // A stack trace has paths with source maps, and URLs without them.
  const [, place] = stack.split(stack.includes(`${href}:`) ? `${href}:` : `${resolve(path)}:`);
  const [line] = /^\d+/.exec(place ?? "") ?? [];
  const isOurs = error instanceof PushforwardError;
  const text = isOurs ? error.what : error instanceof Error ? error.message : String(error);
  return new PushforwardError(
    "MODEL",
    `${path}${line ? `:${line}` : ""}: ${text.trim().replace(/\.$/, "")}`,
    {
      hint: (isOurs && error.hint) || "Correct the program, and run the command again.",
      cause: error,
    },
  );
}

function checkedModel(value: unknown, path: string): ProbabilisticModel | Simulator {
  // A program may export anything, such as a number or nothing.
  const exported = Object(value) as ProbabilisticModel | Simulator;
  if (isSimulator(exported)) return exported;
  if (typeof exported.logDensity === "function" && typeof exported.constrain === "function") return exported;
  throw new PushforwardError("MODEL", `${path} does not export a model`, {
    expected:
      "export default model({ mu: real() }, ({ mu }) => [logProb.normal(mu, 0, 1)]), or export default simulator(...)",
    received: value === undefined ? "no default export" : brief(value),
    hint: 'Import model or simulator from "pushforward/inference".',
  });
}

/** Whether what a program exports is a simulator and not a model. */
export const isSimulator = (exported: ProbabilisticModel | Simulator): exported is Simulator =>
  "simulate" in exported && typeof exported.simulate === "function";
