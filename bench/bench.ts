/**
 * Our times by themselves, against what the machine can do.
 *
 *     npm run bench [-- --only PATTERN --json FILE]
 */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { aloneAll, aloneTable } from "./speed/alone.ts";
import { loadCases } from "./speed/cases.ts";
import { warnOfBusyMachine } from "./speed/machine.ts";
import { digits } from "./speed/table.ts";

const { values } = parseArgs({ options: { only: { type: "string" }, json: { type: "string" } } });
warnOfBusyMachine();
const { peak, results } = await aloneAll(loadCases(values.only));
console.log(aloneTable(results));
console.log(`\nThe peak: ${digits(peak)} GFLOP/s, a product of 1024 x 1024 matrices in ONNX Runtime.`);
if (values.json) writeFileSync(values.json, `${JSON.stringify(results, null, 1)}\n`);
