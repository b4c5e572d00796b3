import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { compiled } from "../compiledPackage.ts";

export const root = fileURLToPath(new URL("../..", import.meta.url));

/** A page of documentation. Its TypeScript blocks, in order, form one program. */
export interface Page {
  /** Path from the root of the repository. */
  readonly path: string;
  readonly text: string;
  readonly program: string;
  /** The expected output of the program: the `text` blocks that follow a `ts` block. */
  readonly output: string;
}

export function readPages(): Page[] {
  const docs = ["docs", "docs/flows"].flatMap((folder) =>
    readdirSync(join(root, folder))
      .filter((name) => name.endsWith(".md"))
      .map((name) => `${folder}/${name}`),
  );
  const results = ["bench/RESULTS.md", "bench/papers/RESULTS.md"];
  const paths = ["README.md", "CONTRIBUTING.md", "examples/README.md", ...results, ...docs];
  return paths.map((path) => {
    const text = readFileSync(join(root, path), "utf8");
    const blocks = Array.from(text.matchAll(/^```(\w*)\n(.*?)^```$/gms), ([, language, content]) => ({
      language,
      content,
    }));
    // Blocks that begin with a path are separate files, which test/contributing.test.ts tests.
    const program = blocks.filter(
      ({ language, content }) => language === "ts" && !/^\/\/ src\//.test(content),
    );
    const output = blocks.filter(
      ({ language }, i) => language === "text" && blocks[i - 1]?.language === "ts",
    );
    return {
      path,
      text,
      program: program.map(({ content }) => content).join(""),
      output: output.map(({ content }) => content).join(""),
    };
  });
}

/** Creates a folder in the compiled package, with one file for each page's program, which imports `pushforward` from there. */
export async function createProject(
  pages: readonly Page[],
  compiledPackage: string,
): Promise<{ folder: string; files: string[]; remove(): void }> {
  const folder = mkdtempSync(join(compiledPackage, "documentation-"));
  symlinkSync(join(root, "examples"), join(folder, "examples"), "junction");
  const files = pages.map(async ({ path, program }) => {
    const file = join(folder, `${path.replace(/\W/g, "-")}.mjs`);
    writeFileSync(file, await compiled(program, path.replace(/\.md$/, ".mts")));
    return file;
  });
  return { folder, files: await Promise.all(files), remove: () => rmSync(folder, { recursive: true }) };
}
