import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { transformWithOxc } from "vite";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  export interface ProvidedContext {
    /** The folder of a package with the sources as JavaScript in `dist`, as `npm run build` writes them. */
    compiledPackage: string;
  }
}

const root = fileURLToPath(new URL("..", import.meta.url));

/**
 * Compiles the sources for the processes that tests start. This takes a third of a second. A process that starts from the sources takes
 * two seconds of processor time longer, because tsx passes each module through a thread, in the main thread and in that of the command.
 */
export default async function setup(project: TestProject): Promise<() => void> {
  const folder = mkdtempSync(join(tmpdir(), "pushforward-compiled-"));
  copyFileSync(join(root, "package.json"), join(folder, "package.json"));
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"), "junction");
  await compile(join(root, "src"), join(folder, "dist"));
  project.onTestsRerun(() => compile(join(root, "src"), join(folder, "dist")));
  project.provide("compiledPackage", folder);
  return () => rmSync(folder, { recursive: true });
}

async function compile(source: string, target: string): Promise<void> {
  const names = readdirSync(source, { recursive: true, encoding: "utf8" });
  for (const name of names.filter((name) => /\.(ts|js)$/.test(name))) {
    const [from, to] = [join(source, name), join(target, name.replace(/\.ts$/, ".js"))];
    mkdirSync(dirname(to), { recursive: true });
    const text = readFileSync(from, "utf8");
    writeFileSync(to, from.endsWith(".js") ? text : await compiled(text, from));
  }
}

/** A program in TypeScript as JavaScript. In the folder of the package, it can import `pushforward`. */
export async function compiled(text: string, file: string): Promise<string> {
  // Vite's compiler is a hundred times faster, but its code for these declarations needs a package that is not installed.
  if (/^ *(await )?using /m.test(text)) {
    const { ModuleKind, ScriptTarget, transpileModule } = await import("typescript");
    const [module, target] = [ModuleKind.ESNext, ScriptTarget.ES2023];
    const compilerOptions = {
      module,
      target,
      verbatimModuleSyntax: true,
      rewriteRelativeImportExtensions: true,
    };
    return transpileModule(text, { fileName: file, compilerOptions }).outputText;
  }
  const typescript = { onlyRemoveTypeImports: true, rewriteImportExtensions: "rewrite" } as const;
  return (await transformWithOxc(text, file, { sourcemap: false, typescript })).code;
}
