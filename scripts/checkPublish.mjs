// Asks npm what it would publish, after `npm run build`, and fails if npm warns: it corrects package.json silently, for example by
// leaving out a bin that it cannot read.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { plainEnvironment, runNpm } from "./npm.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const read = (path) => readFileSync(new URL(path, import.meta.url), "utf8");
const { name, version } = JSON.parse(read("../package.json"));

const problems = [];
if (!read("../src/package/version.ts").includes(`"${version}"`))
  problems.push(`src/version.ts has another version than ${version}`);
const [, released] = /^## \[(.*?)\]/m.exec(read("../CHANGELOG.md"));
if (released !== version) problems.push(`the last version in CHANGELOG.md is ${released}, not ${version}`);

const { stderr } = runNpm(["publish", "--dry-run"], { cwd: root, env: plainEnvironment() });
// A dry run needs no login, but npm warns that there is none.
problems.push(...stderr.split("\n").filter((line) => /^npm warn/i.test(line) && !line.includes("logged in")));
for (const file of ["dist/cli/main.js", "dist/index.js", "dist/index.d.ts", "LICENSE", "docs/licences.md"])
  if (!stderr.includes(` ${file}\n`)) problems.push(`${file} would not be published`);

for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exitCode = 1;
else console.log(`npm would publish ${name} ${version} without a warning`);
