/**
 * Writes the splits of the tables that the defaults are compared on, for other programs such as peers.py. NAME.json has
 * the number of columns and the number of rows of each part; NAME.train.f64, NAME.validation.f64 and NAME.test.f64 have
 * their values in float64, row by row.
 *
 *     node --import tsx bench/tables/write.ts --data DIRECTORY --to DIRECTORY [--only TABLE,...]
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { loadTable, TABLES } from "../tables.ts";

const { values } = parseArgs({
  options: { data: { type: "string" }, to: { type: "string" }, only: { type: "string" } },
});
if (!values.data)
  throw new Error("--data DIRECTORY is required: the directory that contains uci/, earth/ and adbench/");
if (!values.to) throw new Error("--to DIRECTORY is required: the directory to write to");
mkdirSync(values.to, { recursive: true });
for (const name of values.only?.split(",") ?? TABLES) {
  const { features, digest, train, validation, test } = loadTable(name, values.data);
  const parts = { train, validation, test };
  for (const [part, array] of Object.entries(parts))
    writeFileSync(join(values.to, `${name}.${part}.f64`), array);
  const rows = Object.fromEntries(
    Object.entries(parts).map(([part, array]) => [part, array.length / features]),
  );
  writeFileSync(join(values.to, `${name}.json`), `${JSON.stringify({ features, rows, digest })}\n`);
  console.log(`${name}: ${JSON.stringify(rows)}, ${features} columns`);
}
