/**
 * Anomaly detection on tables of ADBench, beside published results. It reads the tables from the directory PUSHFORWARD_DATA, and writes
 * adbench/results.json and adbench/RESULTS.md. A result that is there already is kept, so that an interrupted run continues, with the limits
 * that it began with; to measure a setting again, remove its results.
 *
 *     PUSHFORWARD_DATA=... npm run bench:adbench [-- --minutes 2 --threads 2]
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { measure } from "./adbench/measure.ts";
import { readPublished, report } from "./adbench/report.ts";
import { csvFiles, type Setting } from "./adbench/tables.ts";
import { formatFolder } from "./format.ts";

const data = process.env.PUSHFORWARD_DATA;
if (data === undefined) {
  console.log("Skipped: PUSHFORWARD_DATA is not the directory that contains adbench/.");
  process.exit(0);
}
const { values } = parseArgs({
  options: { minutes: { type: "string", default: "2" }, threads: { type: "string", default: "2" } },
});
// Read before the run, so that it is not in vain if the file is missing.
const published = readPublished(data);
const path = new URL("adbench/results.json", import.meta.url);
const results = existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : {};
for (const setting of ["one-class", "unsupervised"] satisfies Setting[]) {
  results[setting] ??= {
    minutes: Number(values.minutes),
    threads: Number(values.threads),
    cores: availableParallelism(),
    areas: {},
  };
  const { areas, ...limits } = results[setting];
  for (const table of Object.keys(csvFiles)) {
    if (areas[table]) continue;
    areas[table] = await measure(data, table, setting, limits);
    console.log(setting, table, areas[table]);
    writeFileSync(path, `${JSON.stringify(results, null, 2)}\n`);
  }
}
writeFileSync(new URL("adbench/RESULTS.md", import.meta.url), report(published, results));
formatFolder("adbench");
