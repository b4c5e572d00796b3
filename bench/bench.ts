/**
 * Measures the time of each case and the share of the processor's peak that it reaches.
 *
 *     npm run bench [-- --only PATTERN --json FILE]
 */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { loadCases } from "./speed/cases.ts";
import { warnOfBusyMachine } from "./speed/machine.ts";
import { digits } from "./speed/table.ts";
import { measureUtilization, utilizationTable } from "./speed/utilization.ts";

const { values } = parseArgs({ options: { only: { type: "string" }, json: { type: "string" } } });
warnOfBusyMachine();
const { peak, results } = await measureUtilization(loadCases(values.only));
console.log(utilizationTable(results));
console.log(`\nPeak: ${digits(peak)} GFLOP/s, for a product of 1024 x 1024 matrices in ONNX Runtime.`);
if (values.json) writeFileSync(values.json, `${JSON.stringify(results, null, 1)}\n`);
