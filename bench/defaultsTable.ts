/**
 * Writes docs/defaults.md from bench/defaults.json and the reference numbers of the data directory.
 *
 *     node --import tsx bench/defaultsTable.ts --data DIRECTORY
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { Result } from "./defaults.ts";
import { loadTable } from "./tables.ts";

const { values } = parseArgs({ options: { data: { type: "string" } } });
if (!values.data) throw new Error("--data DIRECTORY: where references.json is");
const directory = values.data;
const results: Result[] = JSON.parse(readFileSync(new URL("defaults.json", import.meta.url), "utf8"));
const references: Record<string, Record<string, { testLL: number }>> = JSON.parse(
  readFileSync(join(directory, "references.json"), "utf8"),
).results;

const PEERS = {
  Gaussian: "gaussian",
  mixture: "gmm",
  "kernel density": "kde",
  "zuko MAF": "maf",
  "zuko NSF": "nsf",
};
const tables = [...new Set(results.map((r) => r.table))];
const configurations = [...new Set(results.map((r) => r.configuration))].filter((c) => c !== "fitTable");
const find = (table: string, configuration: string) =>
  results.find((r) => r.table === table && r.configuration === configuration);
const number = (value: number | undefined) => (value === undefined ? "" : value.toFixed(3));
const row = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
const head = (cells: readonly string[]) => [row(cells), row(cells.map((_, i) => (i === 0 ? "---" : "---:")))];

const against = tables.map((table) => {
  const ours = find(table, "fitTable");
  const peers = Object.values(PEERS).map((key) => references[table]?.[key]?.testLL);
  const best = Math.max(...peers.filter((v) => v !== undefined));
  const gap = ours && Number.isFinite(best) ? (ours.test - best).toFixed(2) : "";
  return row([
    table,
    ...peers.map(number),
    `**${number(ours?.test)}** (${ours?.chosen})`,
    gap,
    `${ours?.seconds.toFixed(0)} s`,
  ]);
});

const factors = tables.map((table) =>
  row([table, ...configurations.map((configuration) => number(find(table, configuration)?.test))]),
);
const shapes = tables.map((table) => {
  const { features, train, dequantized, repeating } = loadTable(table, directory);
  return row([
    table,
    String(train.length / features),
    String(features),
    dequantized.join(", "),
    repeating.join(", "),
  ]);
});

const text = readFileSync(new URL("defaults.template.md", import.meta.url), "utf8");
const filled = text
  .replace(
    "{{against}}",
    [...head(["table", ...Object.keys(PEERS), "pushforward", "to the best", "time"]), ...against].join("\n"),
  )
  .replace("{{factors}}", [...head(["table", ...configurations]), ...factors].join("\n"))
  .replace(
    "{{shapes}}",
    [
      ...head(["table", "training rows", "columns", "dequantized columns", "columns whose values repeat"]),
      ...shapes,
    ].join("\n"),
  );
writeFileSync(new URL("../docs/defaults.md", import.meta.url), filled);
