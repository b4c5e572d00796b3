import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";

// The lint rule in layers.grit enforces the layers of docs/design.md. These tests check that the rule rejects each violation.

const root = fileURLToPath(new URL("..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "pushforward-layers-"));
afterAll(() => rmSync(folder, { recursive: true }));

const TENSORS = ["random", "graph", "numerics", "onnx", "runtime"];
const MODEL = [...TENSORS, "dataset", "nn", "bijections", "distributions"];
const ANYWHERE = ["zod"];
const THREADS = "node:worker_threads";
const IN_NODE = ["node:fs/promises", "fs", THREADS, "@duckdb/node-api"];
const ENGINE = ["#onnxruntime", "onnxruntime-common"];
const TABLES = ["tables", "flows", "columns"];
/** What `serve` may import, and `report` and `cli` too. */
const SERVE = [
  ...MODEL,
  ...TABLES,
  ...["evaluate", "files", "train", "inference", "data"],
  ...ANYWHERE,
  ...IN_NODE,
];
const NOWHERE = ["onnxruntime-node", "onnxruntime-web/wasm", "pushforward", "pushforward/graph"];

/** The layers of docs/design.md, and what each may import besides itself: folders and packages. */
const LAYERS: Readonly<Record<string, readonly string[]>> = {
  random: [],
  graph: ["random"],
  numerics: ["random", "graph"],
  onnx: ["random", "graph"],
  runtime: ["random", "graph", "onnx", ...ENGINE, THREADS],
  nn: [...TENSORS, ...ANYWHERE],
  bijections: [...MODEL, ...ANYWHERE],
  distributions: [...MODEL, ...ANYWHERE],
  tables: [...MODEL, "columns", ...ANYWHERE],
  flows: [...MODEL, "tables", ...ANYWHERE],
  columns: [],
  dataset: ["random", "columns"],
  evaluate: [...MODEL, ...TABLES],
  // Not data, which needs Node.
  train: [...MODEL, ...TABLES, ...ANYWHERE],
  inference: [...MODEL, ...TABLES, "evaluate", "train", ...ANYWHERE],
  files: [...MODEL, "tables", "flows", ...ANYWHERE, ...IN_NODE],
  data: [...MODEL, ...TABLES, "evaluate", "files", ...ANYWHERE, ...IN_NODE],
  images: [...MODEL, ...TABLES, "evaluate", "files", "data", ...ANYWHERE, ...IN_NODE],
  report: [...SERVE, "images"],
  serve: SERVE,
  mpi: [...ANYWHERE, ...IN_NODE],
  cli: [...SERVE, "images", "mpi", "report", "serve"],
};
const FOLDERS = Object.keys(LAYERS);
const PACKAGES = [...ANYWHERE, ...IN_NODE, ...ENGINE, ...NOWHERE];

/** Lints files of the given lines; gives the lines that the rule refuses, file by file. */
function refused(
  files: Readonly<Record<string, readonly string[]>>,
  rule = "plugin",
): Record<string, string[]> {
  rmSync(folder, { recursive: true });
  mkdirSync(folder);
  for (const file of ["biome.json", "layers.grit"]) cpSync(join(root, file), join(folder, file));
  for (const [file, lines] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), lines.join("\n"));
  }
  const biome = join(root, "node_modules/@biomejs/biome/bin/biome");
  const command = [biome, "lint", "--reporter=json", "--max-diagnostics=none", "src"];
  const { stdout } = spawnSync(process.execPath, command, { cwd: folder, encoding: "utf8" });
  const { diagnostics } = JSON.parse(stdout) as {
    diagnostics: { category: string; location: { path: string; start: { line: number } } }[];
  };
  const found = new Set(
    diagnostics
      .filter(({ category }) => category === rule)
      .map(({ location: { path, start } }) => `${path}:${start.line}`),
  );
  return Object.fromEntries(
    Object.entries(files).map(([file, lines]) => [
      file,
      lines.filter((_, i) => found.has(`${file}:${i + 1}`)),
    ]),
  );
}

test("the table has every folder of src", () => {
  const folders = readdirSync(join(root, "src"), { withFileTypes: true }).filter((entry) =>
    entry.isDirectory(),
  );
  expect(FOLDERS).toEqual(expect.arrayContaining(folders.map(({ name }) => name)));
});

describe("the lint rule", () => {
  test.each([
    ["a layer", "probe.ts", "../"],
    ["a folder in a layer", "inner/probe.ts", "../../"],
  ])("lets %s import what the table says and nothing else", (_, file, up) => {
    const line = (name: string) => `import "${FOLDERS.includes(name) ? `${up}${name}/x.ts` : name}";`;
    const probes = (choose: (layer: string, name: string) => boolean) =>
      Object.fromEntries(
        FOLDERS.map((layer) => {
          const names = [...FOLDERS, ...PACKAGES].filter((name) => name !== layer && choose(layer, name));
          return [`src/${layer}/${file}`, names.map(line)];
        }),
      );
    const forbidden = probes((layer, name) => !LAYERS[layer].includes(name));
    expect(refused(probes(() => true))).toEqual(forbidden);
  });

  test("lets a layer import itself and the files beside the layers, but not the package's index", () => {
    const own = [
      'import "./x.ts";',
      'import "./inner/x.ts";',
      'import "./index.ts";',
      'import "../errors.ts";',
    ];
    const ownInside = ['import "./x.ts";', 'import "../x.ts";', 'import "../../errors.ts";'];
    expect(
      refused({
        "src/graph/probe.ts": [...own, 'import "../index.ts";'],
        "src/graph/inner/probe.ts": [...ownInside, 'import "../../index.ts";'],
      }),
    ).toEqual({
      "src/graph/probe.ts": ['import "../index.ts";'],
      "src/graph/inner/probe.ts": ['import "../../index.ts";'],
    });
  });

  test("lets the files beside the layers import one another, random numbers and schemas", () => {
    const bad = ['import "./graph/index.ts";', 'import "./index.ts";', 'import "node:fs";'];
    const good = ['import "./errors.ts";', 'import "./random/index.ts";', 'import "zod";'];
    expect(refused({ "src/parse.ts": [...good, ...bad], "src/index.ts": [...good, bad[0]] })).toEqual({
      "src/parse.ts": bad,
      "src/index.ts": [],
    });
  });

  test("sees every form of import", () => {
    const forms = [
      'import { a } from "../flows/a.ts";',
      'import type { B } from "../flows/b.ts";',
      'import * as c from "../flows/c.ts";',
      'import "../flows/d.ts";',
      'export { e } from "../flows/e.ts";',
      'export type { F } from "../flows/f.ts";',
      'export * from "../flows/g.ts";',
      'export const h = await import("../flows/h.ts");',
      'export type I = import("../flows/i.ts").I;',
      'export type J = typeof import("../flows/j.ts");',
    ];
    expect(refused({ "src/graph/probe.ts": forms })).toEqual({ "src/graph/probe.ts": forms });
  });

  test("refuses Node's globals in what runs in a browser", () => {
    const lines = ["console.log(process.env);", "console.log(Buffer.from([]), globalThis.performance);"];
    const inBrowser = FOLDERS.filter(
      (layer) => !["files", "data", "images", "mpi", "report", "serve", "cli"].includes(layer),
    );
    const files = (folders: readonly string[], lines: readonly string[]) =>
      Object.fromEntries(folders.map((layer) => [`src/${layer}/probe.ts`, lines]));
    expect(refused(files(FOLDERS, lines), "lint/style/noRestrictedGlobals")).toEqual({
      ...files(FOLDERS, []),
      ...files(inBrowser, lines),
    });
  });
});
