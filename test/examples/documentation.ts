import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

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

/** Creates a temporary project in which `pushforward` is this repository's source, with one file for each page's program. */
export function createProject(pages: readonly Page[]): { folder: string; files: string[]; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), "pushforward-documentation-"));
  for (const name of ["node_modules", "examples"])
    symlinkSync(join(root, name), join(folder, name), "junction");
  const { compilerOptions } = JSON.parse(readFileSync(join(root, "tsconfig.json"), "utf8"));
  const paths = Object.entries<string[]>(compilerOptions.paths).map(([name, targets]) => [
    name,
    targets.map((target) => join(root, target)),
  ]);
  const configuration = {
    compilerOptions: {
      ...compilerOptions,
      rewriteRelativeImportExtensions: false,
      paths: Object.fromEntries(paths),
    },
    include: ["*.mts"],
  };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(configuration));
  const files = pages.map(({ path, program }) => {
    const file = join(folder, `${path.replace(/\W/g, "-")}.mts`);
    writeFileSync(file, `${program}export {};\n`);
    return file;
  });
  return { folder, files, remove: () => rmSync(folder, { recursive: true }) };
}
