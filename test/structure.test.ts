import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { layers, problemOf, problemsIn, root, sourceFiles } from "../scripts/layers.ts";

// `npm run lint` checks src by the same functions. These tests check the functions, and that the table describes src.

const rooms = layers.map(({ room }) => room);
const problem = (specifier: string, file = "graph/probe.ts") => problemOf(file, specifier);

test("src has one file, and every other file is in a room", () => {
  const loose = readdirSync(join(root, "src"), { withFileTypes: true }).filter((entry) => entry.isFile());
  expect(loose.map(({ name }) => name)).toEqual(["index.ts"]);
  expect(sourceFiles().filter((file) => problemOf(file, "zod")?.includes("no room"))).toEqual([]);
});

test("the table has no other rooms, and each door says what lives there", () => {
  const doors = rooms.filter((room) => room !== "cli").map((room) => `${room}/index.ts`);
  expect(sourceFiles()).toEqual(expect.arrayContaining(doors));
  for (const door of doors) expect(readFileSync(join(root, "src", door), "utf8")).toMatch(/^\/\*\*\s[A-Z`]/);
});

test("docs/design.md has the table", () => {
  const page = readFileSync(join(root, "docs/design.md"), "utf8");
  const rows = [...page.matchAll(/^\| `([^`]+)` +\| (.*?) +\|$/gm)].map(([, room, what]) => ({ room, what }));
  expect(rows).toEqual(expect.arrayContaining(layers.map(({ room, what }) => ({ room, what }))));
});

test("all imports of src follow the table", () => {
  const problems = sourceFiles().flatMap((file) =>
    problemsIn(file, readFileSync(join(root, "src", file), "utf8")),
  );
  expect(problems).toEqual([]);
});

describe("a room", () => {
  test("imports doors of lower rooms, and no others", () => {
    for (const [i, from] of layers.entries())
      for (const [j, to] of layers.entries()) {
        if (i === j) continue;
        const up = "../".repeat(from.room.split("/").length);
        const isLower = j < i;
        const found = problemOf(`${from.room}/probe.ts`, `${up}${to.room}/index.ts`);
        if (!isLower) expect(found, `${from.room} imports ${to.room}`).toBeDefined();
        expect(problemOf(`${from.room}/probe.ts`, `${up}${to.room}/probe.ts`)).toBeDefined();
      }
    expect(problem("../check/index.ts")).toBeUndefined();
    expect(problem("../../check/index.ts", "graph/passes/probe.ts")).toBeUndefined();
    expect(problem("../runtime/index.ts")).toBe("graph is below runtime");
    expect(problem("../check/errors.ts")).toBe("check is imported through check/index.ts");
  });

  test("imports its own files, but not through its door", () => {
    expect(problem("./tensor.ts")).toBeUndefined();
    expect(problem("../tensor.ts", "graph/passes/probe.ts")).toBeUndefined();
    expect(problem("./index.ts")).toBe("a room does not import its own door");
  });

  test("of a wing does not import another wing, nor the package's index", () => {
    expect(problemOf("images/model/probe.ts", "../../tables/columns/index.ts")).toBe(
      "images and tables are two wings",
    );
    expect(problemOf("inference/probe.ts", "../tables/columns/index.ts")).toBe(
      "inference and tables are two wings",
    );
    expect(problemOf("tables/io/probe.ts", "../columns/index.ts")).toBeUndefined();
    expect(problemOf("cli/probe.ts", "../index.ts")).toBe("only rooms can be imported");
  });

  test("for browsers imports neither rooms nor packages of Node", () => {
    expect(problemOf("tables/fit/probe.ts", "../../files/index.ts")).toBe(
      "tables/fit runs in browsers, and files needs Node",
    );
    expect(problem("node:fs")).toMatch("runs in browsers");
    expect(problem("zod/mini")).toBeUndefined();
    expect(problemOf("runtime/probe.ts", "#onnxruntime/native")).toBeUndefined();
    expect(problemOf("cli/probe.ts", "node:fs")).toBeUndefined();
    expect(problemOf("cli/probe.ts", "onnxruntime-node")).toMatch("only runtime imports ONNX Runtime");
    expect(problemOf("cli/probe.ts", "pushforward/graph")).toMatch("only runtime imports ONNX Runtime");
  });
});

test("every form of import is seen", () => {
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
  expect(problemsIn("graph/probe.ts", forms.join("\n")).map(({ line }) => line)).toEqual(
    forms.map((_, i) => i + 1),
  );
});

test("the linter refuses Node's globals in rooms for browsers", () => {
  const folder = mkdtempSync(join(tmpdir(), "pushforward-layers-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  cpSync(join(root, "biome.json"), join(folder, "biome.json"));
  for (const room of rooms) {
    const file = join(folder, "src", room, "probe.ts");
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, "console.log(process.env);\nconsole.log(Buffer.from([]), globalThis.performance);\n");
  }
  const biome = join(root, "node_modules/@biomejs/biome/bin/biome");
  const command = [biome, "lint", "--reporter=json", "--max-diagnostics=none", "src"];
  const { stdout } = spawnSync(process.execPath, command, { cwd: folder, encoding: "utf8" });
  const { diagnostics } = JSON.parse(stdout) as {
    diagnostics: { category: string; location: { path: string; start: { line: number } } }[];
  };
  const refused = diagnostics
    .filter(({ category }) => category === "lint/style/noRestrictedGlobals")
    .map(({ location: { path, start } }) => `${path}:${start.line}`);
  const expected = layers
    .filter(({ node }) => !node)
    .flatMap(({ room }) => [1, 2].map((line) => `src/${room}/probe.ts:${line}`));
  expect(refused.sort()).toEqual(expected.sort());
});
