// Scores a table with an exported model on Dask, on two worker processes of which one is killed, and compares every row with the result of
// `pushforward score`. Needs Debian's python3-distributed and python3-onnxruntime; the environment variable PYTHON names the interpreter.
//
//     npm run bench:dask -- 20000000
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { DuckDBInstance } from "@duckdb/node-api";
import { run } from "../src/cli/run.ts";
import { table } from "./speed/table.ts";

const rows = Number(process.argv[2] ?? 2_000_000);
const ROWS_OF_PARTITION = 100_000;
const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const directory = mkdtempSync(join(tmpdir(), "pushforward-dask-"));
const path = (name: string) => join(directory, name);
const count = (n: number | bigint) => n.toLocaleString("en");

async function pushforward(...words: string[]): Promise<void> {
  const { stdout, stderr, env } = process;
  const code = await run(words, { stdout, stderr, env, interrupted: new AbortController().signal });
  if (code !== 0) throw new Error(`pushforward ${words.join(" ")} ended with code ${code}`);
}

try {
  const database = await (await DuckDBInstance.create()).connect();
  const query = async (sql: string) => (await database.runAndReadAll(sql)).getRowObjects()[0]!;
  const model = path("model.safetensors");
  await pushforward(
    "fit",
    here("../examples/data/earthquakes.csv"),
    "-o",
    model,
    "--flow",
    "maf",
    "--epochs",
    "10",
  );
  await pushforward("export", model, "-o", path("exported"), "--for", "dask");
  await pushforward("sample", model, "-n", String(rows), "-o", path("rows.parquet"));
  mkdirSync(path("parts"));
  for (let start = 0; start < rows; start += ROWS_OF_PARTITION) {
    const file = path(`parts/part-${String(start / ROWS_OF_PARTITION).padStart(4, "0")}.csv`);
    await database.run(`
      COPY (
        SELECT file_row_number AS id, * EXCLUDE (file_row_number)
        FROM read_parquet('${path("rows.parquet")}', file_row_number = true)
        WHERE file_row_number >= ${start} AND file_row_number < ${start + ROWS_OF_PARTITION}
      ) TO '${file}' (FORMAT csv, HEADER)`);
  }
  const ourStart = performance.now();
  await pushforward("score", model, path("parts/*.csv"), "-o", path("ours.parquet"));
  const ourSeconds = (performance.now() - ourStart) / 1000;

  const python = spawnSync(
    process.env.PYTHON ?? "/usr/bin/python3",
    [here("dask/run.py"), path("exported"), path("parts/*.csv"), path("scored")],
    { encoding: "utf8", env: { ...process.env, PYTHONPATH: path("exported") } },
  );
  if (python.status !== 0) throw new Error(python.stderr);
  const dask = JSON.parse(python.stdout) as Record<string, number | string>;

  const compared = await query(`
    SELECT count(*)::DOUBLE AS rows,
      max(abs(a.log_density - b.log_density) / greatest(1, abs(b.log_density))) AS difference,
      count(DISTINCT a.id)::DOUBLE AS ids
    FROM read_csv('${path("scored/*.csv")}') a JOIN read_parquet('${path("ours.parquet")}') b USING (id)`);
  const figures = [
    ["Dask, onnxruntime", `${dask.dask}, ${dask.onnxruntime}`],
    ["workers that were killed", "1: its tasks ran again on its replacement or on the other worker"],
    ["rows in the result", `${count(compared.ids as number)} different rows of ${count(rows)}`],
    [
      "largest difference from `pushforward score`, relative to max(1, abs(log p))",
      (compared.difference as number).toExponential(1),
    ],
    [
      "time of Dask, with reading, writing and the start of the workers",
      `${Number(dask.seconds).toFixed(0)} s`,
    ],
    ["time of `pushforward score`", `${ourSeconds.toFixed(0)} s`],
  ];
  const results = `# Scoring on Dask

${count(rows)} rows of four columns, in ${Math.ceil(rows / ROWS_OF_PARTITION)} CSV files that DuckDB wrote, were scored by
\`score_dask.py\`, as \`pushforward export --for dask\` writes it. The model is a MAF of the earthquakes in float32. There were two worker
processes with one thread each; one of them was killed after ${dask.killed_after} of the files were written.

${table(["", "result"], figures)}

The times are from one run on a machine with ${cpus().length} cores that other programs used too, so they are not reliable.
Their times cannot be compared: pushforward wrote one Parquet file, which is faster than CSV files, and no worker of it was killed.
\`npm run bench:dask -- 2000000\` scores two million rows.
`;
  if (compared.rows !== rows || compared.ids !== rows || (compared.difference as number) > 1e-5)
    throw new Error(`the results differ: ${JSON.stringify(compared)}`);
  writeFileSync(here("dask/RESULTS.md"), results);
  console.log(results);
} finally {
  rmSync(directory, { recursive: true, force: true });
}
