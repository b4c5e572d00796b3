import { execFile } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, describe, expect, inject, test } from "vitest";
import { bijectionRegistry } from "../../src/bijections/build.ts";
import { buildBijection } from "../../src/bijections/index.ts";
import { scalarTransformRegistry } from "../../src/bijections/scalar/build.ts";
import { formatSupport } from "../../src/bijections/support.ts";
import { optionName } from "../../src/cli/arguments.ts";
import { COMMANDS } from "../../src/cli/run.ts";
import { distributionRegistry } from "../../src/distributions/build.ts";
import { registerAllKinds } from "../../src/distributions/registerAllKinds.ts";
import * as recipes from "../../src/flows/recipes/index.ts";
import { Tensor } from "../../src/graph/index.ts";
import { Random } from "../../src/random/index.ts";
import { densitySettingsSchema } from "../../src/train/densityOptions.ts";
import { fitSettingsSchema } from "../../src/train/options.ts";
import { bijectionExamples } from "../bijections/examples.ts";
import { createProject, readPages, root } from "./documentation.ts";

/** The output of README.md varies: three log-densities, two rows, an imputed row, and four gradients. */
const README_OUTPUT =
  /^Float64Array\(3\) \[[-\d.,\s]+\]\n\[\n? *\{ city: 'Bern'[^\]]+\]\n\[ \{ city: 'Basel', rent: \d+ \} \]\nFloat32Array\(4\) \[ 0, -1, -2, -3 \]\n$/;

const allPages = readPages();
/** The program of README.md states how long it trains. Its output is that of any model. */
const [TIME, LESS_TIME] = ["maxMinutes: 0.2 ", "maxMinutes: 0.02 "];
const programs = allPages
  .filter(({ program }) => program !== "")
  .map((page) => ({ ...page, program: page.program.replace(TIME, LESS_TIME) }));
const { folder, files, remove } = await createProject(programs, inject("compiledPackage"));
afterAll(remove);

/** Printed before the output of each page. */
const PAGE_MARK = "--- page ";

/** Runs all programs and returns their outputs by file. Two processes run half of the pages each, and load the library once. */
async function runPrograms(): Promise<Map<string, string>> {
  const halves = [0, 1].map((half) => files.filter((_, i) => i % 2 === half));
  const outputs = await Promise.all(
    halves.map(async (filesOfHalf, half) => {
      const runner = join(folder, `run${half}.mjs`);
      const lines = filesOfHalf.map(
        (file) => `console.log(${JSON.stringify(PAGE_MARK + file)});\nawait import(${JSON.stringify(file)});`,
      );
      writeFileSync(runner, lines.join("\n"));
      const { stdout, stderr } = await promisify(execFile)(process.execPath, [runner], { cwd: folder });
      expect(stderr).toBe("");
      return stdout;
    }),
  );
  const outputsByPage = outputs.join("").split(PAGE_MARK).slice(1);
  return new Map(
    outputsByPage.map((part) => [part.slice(0, part.indexOf("\n")), part.slice(part.indexOf("\n") + 1)]),
  );
}

// test/package/packed.test.ts checks their types.
test("every program runs, and prints the output on its page", { timeout: 240_000 }, async () => {
  expect(programs.filter(({ program }) => program.includes(LESS_TIME)).map(({ path }) => path)).toEqual([
    "README.md",
  ]);
  const outputs = await runPrograms();
  programs.forEach((page, i) => {
    const stdout = outputs.get(files[i]);
    if (page.path === "README.md") expect(stdout, page.path).toMatch(README_OUTPUT);
    else if (page.output !== "") expect(stdout, page.path).toBe(page.output);
    else expect(stdout, page.path).toBeDefined();
  });
});

test("every link has an existing file and heading as its target", () => {
  const headings = new Map(
    allPages.map(({ path, text }) => [
      path,
      Array.from(text.matchAll(/^#+ (.*)$/gm), ([, title]) => headingAnchor(title)),
    ]),
  );
  const broken = allPages.flatMap(({ path, text }) =>
    Array.from(text.matchAll(/\]\((?!https?:)([^)#]*)#?([^)]*)\)/g)).flatMap(([link, target, heading]) => {
      const file = target === "" ? path : join(dirname(path), target);
      const valid = existsSync(resolve(root, file)) && (!heading || headings.get(file)?.includes(heading));
      return valid ? [] : [`${path}: ${link}`];
    }),
  );
  expect(broken).toEqual([]);
});

/** The anchor that GitHub generates for a heading. */
const headingAnchor = (title: string) =>
  title
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, "")
    .replaceAll(" ", "-");

describe("the documentation lists all", () => {
  /** Without the spaces that align tables. */
  const textOf = (path: string) =>
    allPages.find((page) => page.path === path)!.text.replaceAll(/ +\|/g, " |");
  const missingFrom = (path: string, words: readonly string[]) =>
    words.filter((word) => !textOf(path).includes(word));
  const catalogue = "docs/flows/index.md";

  test("bijections, scalar transforms and distributions", () => {
    registerAllKinds();
    const registries = [bijectionRegistry, scalarTransformRegistry, distributionRegistry];
    for (const type of registries.flatMap(({ types }) => types)) {
      const hasPage = existsSync(join(root, "docs/flows", `${type}.md`));
      const cell = hasPage ? `| [\`${type}\`](${type}.md) |` : `| \`${type}\` |`;
      expect(missingFrom(catalogue, [cell])).toEqual([]);
    }
  });

  test("the support of each bijection that has one", () => {
    for (const [type, examples] of Object.entries(bijectionExamples)) {
      const [support] = examples(2).flatMap(
        (example) => buildBijection(example, new Random(0)).support ?? [],
      );
      const row = textOf(catalogue)
        .split("\n")
        .find((line) => /^\| \[?`(\w+)`/.exec(line)?.[1] === type)!;
      const [shown] = row.split(/(?<!\\)\|/).slice(7);
      if (support === undefined) expect(shown.trim(), type).toBe("all");
      else if (typeof support === "string") expect(shown.trim()).toBe(formatSupport(support));
      else expect(shown.trim(), type).not.toBe("all");
    }
  });

  test("recipes", () => {
    const names = Object.entries(recipes).flatMap(([name, value]) =>
      typeof value === "function" ? [`| \`${name}(D)\``] : [],
    );
    expect(missingFrom("docs/flows-and-recipes.md", names)).toEqual([]);
  });

  test("settings of training, with their defaults", () => {
    const { optimizer, schedule, ...settings } = fitSettingsSchema.parse({});
    const rows = (options: object, prefix = "") =>
      Object.entries(options).map(([name, value]) => `| \`${prefix}${name}\` | ${formatValue(value)} |`);
    const { beta1: _beta1, beta2: _beta2, epsilon: _epsilon, ...mainOptimizer } = optimizer;
    const all = [...rows(settings), ...rows(mainOptimizer, "optimizer."), ...rows(schedule, "schedule.")];
    expect(missingFrom("docs/training.md", all)).toEqual([]);
  });

  test("settings of fitting to a density, with their defaults", () => {
    const { optimizer: _optimizer, schedule, ...settings } = densitySettingsSchema.parse({});
    const all = Object.entries({ ...settings, "schedule.type": schedule.type });
    const rows = all.map(([name, value]) => `| \`${name}\` | ${formatValue(value)} |`);
    expect(missingFrom("docs/fit-density.md", rows)).toEqual([]);
  });

  test("commands and their options", async () => {
    const page = readFileSync(join(root, "docs/command-line.md"), "utf8");
    const [introduction, ...sections] = page.split(/^## /m) as [string, ...string[]];
    const undocumented: string[] = [];
    for (const load of Object.values(COMMANDS)) {
      const { name, options } = await load();
      const section = sections.find((each) => each.startsWith(`${name}\n`)) ?? "";
      // The option --output is documented as -o.
      const names = Object.keys(options).map((key) => (key === "output" ? "-o" : `--${optionName(key)}`));
      const isDocumented = (option: string) => new RegExp(`${option}(?![a-z-])`).test(introduction + section);
      undocumented.push(
        ...names.filter((option) => !isDocumented(option)).map((option) => `${name} ${option}`),
      );
      if (section === "") undocumented.push(name);
    }
    expect(undocumented).toEqual([]);
  });

  test("operations", () => {
    const methods = Object.getOwnPropertyNames(Tensor.prototype).filter(
      (name) => !["constructor", "rank"].includes(name),
    );
    expect(
      missingFrom(
        "docs/tensors-and-graphs.md",
        methods.map((name) => `\`${name}\``),
      ),
    ).toEqual([]);
  });
});

const formatValue = (value: unknown) => (typeof value === "string" ? `\`${value}\`` : String(value));
