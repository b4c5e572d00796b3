import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { installCommand, OPTIONAL_PACKAGES } from "../../src/package/optionalPackages.ts";
import { expectClose } from "../bijections/invariants.ts";
import { readPages } from "../examples/documentation.ts";
import {
  compileErrors,
  entryPoints,
  type Installed,
  installPacked,
  OPTIONAL,
  packedTarball,
  removePacked,
  root,
  runNode,
} from "./packed.ts";

const native = installPacked();
const wasm = installPacked(["onnxruntime-node"]);
const library = installPacked(OPTIONAL);
const all = { native, wasm, library };
const EARTHQUAKES = join(root, "examples/data/earthquakes.csv");

afterAll(() => {
  for (const { remove } of Object.values(all)) remove();
  removePacked();
});

const pushforward = ({ folder }: Installed, ...words: string[]) =>
  runNode(folder, ["node_modules/pushforward/dist/cli/main.js", ...words]);

/** The numbers of a CSV file, without its header. */
const numbersOf = ({ folder }: Installed, file: string): number[] =>
  readFileSync(join(folder, file), "utf8").trim().split("\n").slice(1).join(",").split(",").map(Number);

const WARNING =
  /^pushforward: onnxruntime-node is not installed.* npm install onnxruntime-node@\S+ --ignore-scripts$/gm;

describe("with and without onnxruntime-node", () => {
  test("the command line trains, with equal numbers", { timeout: 300_000 }, () => {
    const fit = ["fit", EARTHQUAKES, "--columns", "lon,lat", "--flow", "nsf", "--epochs", "2", "--json"];
    const [first, second] = [native, wasm].map((installed) => {
      const { status, stdout, stderr } = pushforward(installed, ...fit, "-o", "model.safetensors");
      expect({ status, stderr }).toMatchObject({ status: 0 });
      expect([...stderr.matchAll(WARNING)]).toHaveLength(installed === wasm ? 1 : 0);
      const lines = stdout
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line));
      return lines.flatMap((line) => numbersIn(line));
    });
    expect(first.length).toBeGreaterThan(0);
    expectClose(second, first, 2e-3, "the log of the training");
  });

  test("it scores and samples with one model, with equal numbers", { timeout: 300_000 }, () => {
    const model = join(native.folder, "model.safetensors");
    const score = ["score", model, EARTHQUAKES, "-o", "scored.csv"];
    const sample = ["sample", model, "-n", "300", "--seed", "1", "-o", "samples.csv"];
    // A process takes longer to start than to run both commands.
    const program = `
      const { run } = await import(process.cwd() + "/node_modules/pushforward/dist/cli/run.js");
      const { stdout, stderr, env } = process;
      const interrupted = new AbortController().signal;
      for (const words of ${JSON.stringify([score, sample])})
        process.exitCode ||= await run(words, { stdout, stderr, env, interrupted });`;
    for (const { folder } of [native, wasm]) {
      const { status, stdout, stderr } = runNode(folder, ["--input-type=module", "--eval", program]);
      expect({ status, stdout, stderr }).toMatchObject({ status: 0 });
    }
    for (const file of ["scored.csv", "samples.csv"])
      expectClose(numbersOf(wasm, file), numbersOf(native, file), 1e-4, file);
  });
});

/** The log-densities among the numbers of a JSON report: times differ between runs. */
function numbersIn(value: unknown, key = ""): number[] {
  if (typeof value === "number") return /logDensity/i.test(key) ? [value] : [];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => numbersIn(inner, key));
}

describe("without any optional package", () => {
  test("a program loads a model and computes densities", () => {
    cpSync(join(native.folder, "model.safetensors"), join(library.folder, "model.safetensors"));
    writeFileSync(
      join(library.folder, "score.mjs"),
      `import { loadModel } from "pushforward/files";
const { flow } = await loadModel("model.safetensors");
console.log((await flow.logProb([-118, 34, 0, 0]))[0]);`,
    );
    const { status, stdout, stderr } = runNode(library.folder, ["score.mjs"]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: expect.stringMatching(WARNING) });
    expect(Number(stdout)).toBeLessThan(0);
  });

  test("reading a table is an error that says what to install", () => {
    const { status, stderr } = pushforward(library, "fit", EARTHQUAKES, "--columns", "lon,lat");
    expect({ status, stderr }).toMatchInlineSnapshot(`
      {
        "status": 1,
        "stderr": "Error: Tables need the package @duckdb/node-api, which is not installed.
      Install it: npm install @duckdb/node-api@1.5.6-r.1
      ",
      }
    `);
  });

  test("so is drawing figures, before any training", () => {
    const words = ["fit", EARTHQUAKES, "--columns", "lon,lat", "--pictures", "pictures"];
    const { status, stderr } = pushforward(library, ...words);
    expect({ status, stderr }).toMatchInlineSnapshot(`
      {
        "status": 1,
        "stderr": "Error: Figures need the package @observablehq/plot, which is not installed.
      Install it: npm install @observablehq/plot@0.6.17 linkedom@0.18.15 @resvg/resvg-js@2.6.2 @expo-google-fonts/arimo@0.4.3
      ",
      }
    `);
  });
});

describe("the packages of tables and figures", () => {
  const { devDependencies, peerDependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

  test("are the optional peer dependencies, in the versions that the tests use", () => {
    expect(Object.keys(OPTIONAL_PACKAGES).sort()).toEqual(Object.keys(peerDependencies).sort());
    expect(devDependencies).toMatchObject(OPTIONAL_PACKAGES);
  });

  test.each([
    ["file:///home/a/project/node_modules/pushforward/dist/x.js", "npm install linkedom@0.18.15"],
    ["file:///usr/lib/node_modules/pushforward/dist/x.js", "npm install -g linkedom@0.18.15"],
    [
      "file:///home/a/.npm/_npx/0f/node_modules/pushforward/dist/x.js",
      "npx -p pushforward -p linkedom@0.18.15 pushforward",
    ],
  ])("of a package at %s are installed by %s", (location, command) => {
    expect(installCommand(["linkedom"], location)).toBe(command);
  });
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
  // TypeScript's own libraries have passed its tests, and the check of the DOM's takes as long as that of this package.
  skipDefaultLibCheck: true,
  noEmit: true,
};

/** Writes a project of some programs, and returns where it is. */
function project(name: string, lib: readonly string[], programs: Readonly<Record<string, string>>): string {
  const place = join(library.folder, name);
  mkdirSync(place);
  writeFileSync(
    join(place, "tsconfig.json"),
    JSON.stringify({ compilerOptions: { ...STRICT, lib }, include: ["*.mts"] }),
  );
  for (const [file, program] of Object.entries(programs)) writeFileSync(join(place, file), program);
  return place;
}

const everything = [
  ...entryPoints.map((name, i) => `import * as entry${i} from "${name}";`),
  'import { fit, fitTable, nsf } from "pushforward";',
  `export const entries = [${entryPoints.map((_, i) => `entry${i}`).join(", ")}];`,
  "const flow = nsf(2, { transforms: 3, hidden: [16, 16] });",
  "await fit(flow, new Float64Array(200), { epochs: 1 });",
  "const [first]: Float64Array = await flow.sample(10, { seed: 1 });",
  "export const known: number | undefined = first;",
  "interface Point { readonly x: number; readonly y: number }",
  "export const scored = (points: readonly Point[]) => flow.logProb(points);",
  "interface Unset { readonly signal: AbortSignal | undefined; readonly seed: number | undefined }",
  "export const optional = async ({ signal, seed }: Unset) => {",
  "  await fit(nsf(2, { seed }), new Float64Array(200), { signal, seed });",
  "  const { model } = await fitTable([{ a: 1 }], { signal, seed });",
  "  return [await flow.sample(1, { seed }), await model.sample(1, { seed })];",
  "};",
].join("\n");

describe("types, without any optional package", () => {
  test("declarations compile under the lowest version that is supported, without the DOM's library", () => {
    const place = project("everything", ["ES2022"], { "main.mts": everything });
    expect(compileErrors("typescript-lowest", place)).toBe("");
  });

  test("the README states the lowest version", () => {
    const { version } = JSON.parse(
      readFileSync(join(root, "node_modules/typescript-lowest/package.json"), "utf8"),
    );
    const [, stated] =
      /TypeScript (\d+\.\d+) or later/.exec(readFileSync(join(root, "README.md"), "utf8")) ?? [];
    expect(version.startsWith(`${stated}.`)).toBe(true);
  });

  test("declarations and the programs of all pages compile under the current version and the strictest options", () => {
    const programs = readPages().filter(({ program }) => program !== "");
    const files = programs.map(({ path, program }) => [
      `${path.replace(/\W/g, "-")}.mts`,
      `${program}export {};\n`,
    ]);
    expect(files.length).toBeGreaterThan(10);
    const programsOfPages = { ...Object.fromEntries(files), "main.mts": everything };
    const place = project("pages", ["ES2023", "DOM", "DOM.Iterable"], programsOfPages);
    expect(compileErrors("typescript", place)).toBe("");
  });
});

test("the packed README has all files that it links to, and no build files are packed", () => {
  const installed = join(library.folder, "node_modules/pushforward");
  const links = [...readFileSync(join(installed, "README.md"), "utf8").matchAll(/\]\(([^)#:]+)(#[^)]*)?\)/g)];
  expect(links.length).toBeGreaterThan(5);
  const missing = links.map(([, path]) => path).filter((path) => !existsSync(join(installed, path)));
  expect(missing).toEqual([]);
  expect(existsSync(join(dirname(packedTarball()), "dist/.tsbuildinfo"))).toBe(true);
  expect(existsSync(join(installed, "dist/.tsbuildinfo"))).toBe(false);
});
