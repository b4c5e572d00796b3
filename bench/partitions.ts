// Measures the memory of `pushforward score` on tables in many Parquet files, of 100,000 rows each, with one output file and with one for each
// file. The files have the same rows, which makes no difference to memory. Needs /proc. Writes partitions/RESULTS.md.
//
//     npm run bench:partitions
import { spawn } from "node:child_process";
import { once } from "node:events";
import { linkSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROWS_OF_FILE = 100_000;
const SIZES = [
  { files: 10, output: "scored/" },
  { files: 40, output: "scored/" },
  { files: 200, output: "scored/" },
  { files: 10, output: "scored.parquet" },
  { files: 40, output: "scored.parquet" },
];

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const directory = mkdtempSync(join(tmpdir(), "pushforward-partitions-"));
const path = (name: string) => join(directory, name);

/** Runs a command, and returns its peak memory in MB and its time. */
async function pushforward(...words: string[]): Promise<{ megabytes: number; seconds: number }> {
  const start = performance.now();
  const child = spawn(process.execPath, ["--import", "tsx", here("../src/cli/main.ts"), ...words], {
    stdio: "ignore",
  });
  let kilobytes = 0;
  const timer = setInterval(() => {
    try {
      const status = readFileSync(`/proc/${child.pid}/status`, "utf8");
      kilobytes = Math.max(kilobytes, Number(/VmHWM:\s*(\d+)/.exec(status)?.[1] ?? 0));
    } catch {
      // The process has ended.
    }
  }, 100);
  const [code] = await once(child, "exit");
  clearInterval(timer);
  if (code !== 0) throw new Error(`pushforward ${words.join(" ")} ended with code ${code}`);
  return { megabytes: Math.round(kilobytes / 1024), seconds: (performance.now() - start) / 1000 };
}

try {
  const model = path("model.safetensors");
  await pushforward(
    "fit",
    here("../examples/data/earthquakes.csv"),
    "-o",
    model,
    "--flow",
    "maf",
    "--epochs",
    "5",
  );
  await pushforward("sample", model, "-n", String(ROWS_OF_FILE), "-o", path("rows.parquet"));
  const lines: string[] = [];
  for (const { files, output } of SIZES) {
    const parts = path(`parts-${files}`);
    mkdirSync(parts, { recursive: true });
    for (let i = 0; i < files; i++) {
      const part = join(parts, `part-${String(i).padStart(4, "0")}.parquet`);
      rmSync(part, { force: true });
      linkSync(path("rows.parquet"), part);
    }
    const { megabytes, seconds } = await pushforward(
      "score",
      model,
      `${parts}/*.parquet`,
      "-o",
      path(output),
    );
    rmSync(path(output), { recursive: true });
    const rows = (files * ROWS_OF_FILE).toLocaleString("en");
    lines.push(`| ${rows} | ${files} | \`${output}\` | ${megabytes} MB | ${seconds.toFixed(0)} s |`);
    console.log(lines.at(-1));
  }
  writeFileSync(
    here("partitions/RESULTS.md"),
    `# Scoring many Parquet files

\`npm run bench:partitions\` scores a table of four columns in Parquet files of ${ROWS_OF_FILE.toLocaleString("en")} rows, by a MAF in float32, into one file or into a directory
with a file for each. Times are from a machine with ${availableParallelism()} cores that other programs used too, so they are not reliable.

| rows | files | output | peak memory | time |
| ---: | ---: | --- | ---: | ---: |
${lines.join("\n")}
`,
  );
} finally {
  rmSync(directory, { recursive: true });
}
