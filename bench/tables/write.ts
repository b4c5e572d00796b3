/**
 * Writes the training, validation and test rows of the benchmark tables, on which the defaults of `fitFlows` are chosen, so
 * that other libraries are measured on exactly the same rows: peers.py reads these files. For a table NAME it writes
 *
 * - NAME.train.f64, NAME.validation.f64 and NAME.test.f64: the z-scored values as float64, row by row, without a header, in
 *   the byte order of this machine (little-endian on nearly all);
 * - NAME.json: {"features": D, "rows": {"train": N, "validation": N, "test": N}, "digest": the SHA-256 of the values}.
 *   The digest shows whether two results come from the same rows.
 *
 *     node --import tsx bench/tables/write.ts --data DIRECTORY --to DIRECTORY [--only TABLE,...]
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { loadTable, TABLES } from "../tables.ts";

const { data, to, only } = parseArgs({
  options: { data: { type: "string" }, to: { type: "string" }, only: { type: "string" } },
}).values;
if (!data)
  throw new Error("--data DIRECTORY is required: the directory that contains uci/, earth/ and adbench/");
if (!to) throw new Error("--to DIRECTORY is required: the directory to write to");
mkdirSync(to, { recursive: true });
for (const name of only?.split(",") ?? TABLES) {
  const { features, digest, train, validation, test } = loadTable(name, data);
  const rows: Record<string, number> = {};
  for (const [split, values] of Object.entries({ train, validation, test })) {
    writeFileSync(join(to, `${name}.${split}.f64`), values);
    rows[split] = values.length / features;
  }
  writeFileSync(join(to, `${name}.json`), `${JSON.stringify({ features, rows, digest })}\n`);
  console.log(`${name}: ${JSON.stringify(rows)}, ${features} columns`);
}
