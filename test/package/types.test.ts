import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";
import { afterAll, expect, test } from "vitest";
import { readPages } from "../examples/documentation.ts";
import {
  compileErrors,
  entryPoints,
  installPacked,
  OPTIONAL,
  packedTarball,
  removePacked,
  root,
} from "./packed.ts";

// The declarations must not refer to packages that need not be installed.
const { folder, remove } = installPacked(OPTIONAL);
afterAll(() => {
  remove();
  removePacked();
});

/** As strict as a project can be. */
const STRICT = {
  target: "ES2022",
  module: "NodeNext",
  moduleResolution: "NodeNext",
  types: ["node"],
  strict: true,
  noUncheckedIndexedAccess: true,
  exactOptionalPropertyTypes: true,
  noImplicitOverride: true,
  noFallthroughCasesInSwitch: true,
  noUnusedLocals: true,
  noUnusedParameters: true,
  verbatimModuleSyntax: true,
  isolatedModules: true,
  skipLibCheck: false,
  noEmit: true,
};

/** Writes a project of some programs, and returns where it is. */
function project(name: string, lib: readonly string[], programs: Readonly<Record<string, string>>): string {
  const place = join(folder, name);
  mkdirSync(place);
  writeFileSync(
    join(place, "tsconfig.json"),
    JSON.stringify({ compilerOptions: { ...STRICT, lib }, include: ["*.mts"] }),
  );
  for (const [file, program] of Object.entries(programs)) writeFileSync(join(place, file), program);
  return place;
}

const everything = project("everything", ["ES2022"], {
  "main.mts": [
    ...entryPoints.map((name, i) => `import * as entry${i} from "${name}";`),
    'import { fit, nsf } from "pushforward";',
    `export const entries = [${entryPoints.map((_, i) => `entry${i}`).join(", ")}];`,
    "const flow = nsf(2, { transforms: 3, hidden: [16, 16] });",
    "await fit(flow, new Float64Array(200), { epochs: 1 });",
    "const [first]: Float64Array = await flow.sample(10, { seed: 1 });",
    "export const known: number | undefined = first;",
  ].join("\n"),
});

test.each([
  ["the lowest version that is supported", "typescript-lowest"],
  ["the current version", "typescript"],
])("declarations compile under %s, without the DOM's library", (_, compiler) => {
  expect(compileErrors(compiler, everything)).toBe("");
});

test("the README states the lowest version", () => {
  const { version } = JSON.parse(
    readFileSync(join(root, "node_modules/typescript-lowest/package.json"), "utf8"),
  );
  const [, stated] =
    /TypeScript (\d+\.\d+) or later/.exec(readFileSync(join(root, "README.md"), "utf8")) ?? [];
  expect(version.startsWith(`${stated}.`)).toBe(true);
});

test("the programs of all pages compile under the strictest options", () => {
  const programs = readPages().filter(({ program }) => program !== "");
  const files = programs.map(({ path, program }) => [
    `${path.replace(/\W/g, "-")}.mts`,
    `${program}export {};\n`,
  ]);
  expect(files.length).toBeGreaterThan(10);
  const place = project("pages", ["ES2023", "DOM", "DOM.Iterable"], Object.fromEntries(files));
  expect(compileErrors("typescript", place)).toBe("");
});

test("@arethetypeswrong finds the types of every entry point", async () => {
  const result = await checkPackage(createPackageFromTarballData(readFileSync(packedTarball())));
  if (!result.types) throw new Error("the package has no types");
  expect(Object.keys(result.entrypoints)).toEqual(
    expect.arrayContaining(entryPoints.map((name) => name.replace("pushforward", "."))),
  );
  // The package has ES modules only, and TypeScript's old resolution "node10" does not read `exports`.
  const problems = result.problems.filter(
    ({ kind, ...rest }) =>
      kind !== "CJSResolvesToESM" && !("resolutionKind" in rest && rest.resolutionKind === "node10"),
  );
  expect(problems).toEqual([]);
});

test("the packed README has all files that it links to, and no build files are packed", () => {
  const installed = join(folder, "node_modules/pushforward");
  const links = [...readFileSync(join(installed, "README.md"), "utf8").matchAll(/\]\(([^)#:]+)(#[^)]*)?\)/g)];
  expect(links.length).toBeGreaterThan(5);
  const missing = links.map(([, path]) => path).filter((path) => !existsSync(join(installed, path)));
  expect(missing).toEqual([]);
  expect(existsSync(join(dirname(packedTarball()), "dist/.tsbuildinfo"))).toBe(true);
  expect(existsSync(join(installed, "dist/.tsbuildinfo"))).toBe(false);
});
