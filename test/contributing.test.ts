import { execFile } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, expect, test } from "vitest";

// The bijection, the scalar transform and the distribution of CONTRIBUTING.md are added to a copy of the repository, exactly as the
// page says. Types and tests must then pass: the page is complete, and an addition takes no more than what it lists.

const root = fileURLToPath(new URL("..", import.meta.url));
const copy = mkdtempSync(join(tmpdir(), "pushforward-contributing-"));
afterAll(() => rmSync(copy, { recursive: true }));

interface Assertion {
  readonly status: string;
  readonly fullName: string;
}

/** The results of one test file. */
interface Report {
  readonly assertionResults: readonly Assertion[];
}

const TESTS = [
  "test/bijections/invariants.test.ts",
  "test/bijections/build.test.ts",
  "test/bijections/extremes.test.ts",
  "test/distributions/invariants.test.ts",
  "test/distributions/build.test.ts",
  "test/types/options.test.ts",
];
/** With the additions, which the registries import, these have all types that the page mentions. */
const TYPE_CHECKED = [
  "test/bijections/examples.ts",
  "test/bijections/scalarTransformExamples.ts",
  "test/distributions/examples.ts",
  "test/types/options.test.ts",
];
/** The names of tests of the additions and of the registries. */
const FILTER = "type:(scaling|scale|hyperbolicSecant)\\b|registry|schemas";

function makeCopy(): void {
  for (const name of ["src", "test", "package.json", "tsconfig.json"])
    cpSync(join(root, name), join(copy, name), { recursive: true });
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"), "junction");
  const { compilerOptions } = JSON.parse(readFileSync(join(root, "tsconfig.json"), "utf8"));
  writeFileSync(join(copy, "tsconfig.json"), JSON.stringify({ compilerOptions, files: TYPE_CHECKED }));
  // The copy has its own cache: node_modules is shared.
  const config = { cacheDir: "cache", test: { testTimeout: 60_000, maxWorkers: 1, isolate: false } };
  writeFileSync(join(copy, "vitest.config.mjs"), `export default ${JSON.stringify(config)};`);
}

/** Follows the page: writes files from `ts` blocks that begin with a path, and applies `diff` blocks. Returns the new files. */
function follow(page: string): string[] {
  const blocks = Array.from(page.matchAll(/^```(\w+)\n(.*?)^```$/gms), ([, language, text]) => ({
    language,
    text,
  }));
  const files = blocks.flatMap(({ language, text }) => {
    const path = language === "ts" && /^\/\/ (src\/\S+)\n/.exec(text)?.[1];
    if (!path) return [];
    writeFileSync(join(copy, path), text, { flag: "wx" });
    return [path];
  });
  for (const { text } of blocks.filter(({ language }) => language === "diff")) {
    for (const [, path, hunks] of text.matchAll(/^--- (\S+)\n(.*?)(?=^--- |(?!.))/gms)) {
      for (const hunk of hunks.split(/^@@\n/m)) applyHunk(join(copy, path), hunk);
    }
  }
  return files;
}

/** Replaces the context lines of a hunk, which must occur once in the file, by all of its lines. */
function applyHunk(file: string, hunk: string): void {
  const lines = hunk.trimEnd().split("\n");
  const join = (kept: readonly string[]) => kept.map((line) => `${line.slice(1)}\n`).join("");
  const parts = readFileSync(file, "utf8").split(join(lines.filter((line) => line.startsWith(" "))));
  expect(parts.length, `${file}: ${hunk}`).toBe(2);
  writeFileSync(file, parts.join(join(lines)));
}

async function run(program: string, ...args: string[]): Promise<string> {
  const options = { cwd: copy, env: { ...process.env, NO_COLOR: "1" } };
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [join(root, "node_modules", program), ...args],
    options,
  ).catch((error: { stdout: string; stderr: string }) => {
    throw new Error(error.stdout + error.stderr);
  });
  return stdout;
}

test("what CONTRIBUTING.md adds passes the type checker and the tests", { timeout: 240_000 }, async () => {
  makeCopy();
  const files = follow(readFileSync(join(root, "CONTRIBUTING.md"), "utf8"));
  expect(files).toEqual([
    "src/bijections/scaling.ts",
    "src/bijections/scalar/scale.ts",
    "src/distributions/hyperbolicSecant.ts",
  ]);
  await run("typescript/bin/tsc", "-p", ".");
  const report = JSON.parse(await run("vitest/vitest.mjs", "run", ...TESTS, "-t", FILTER, "--reporter=json"));
  const passed: string[] = report.testResults
    .flatMap(({ assertionResults }: Report) => assertionResults)
    .filter(({ status }: Assertion) => status === "passed")
    .map(({ fullName }: Assertion) => fullName);
  for (const addition of [
    "3D type:scaling,features:3",
    "transform:type:scale",
    "type:hyperbolicSecant,features:3",
  ])
    expect(
      passed.some((name) => name.includes(addition)),
      addition,
    ).toBe(true);
});
