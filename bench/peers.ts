/**
 * Our times beside those of other libraries, interleaved in one run. bench/peers/README.md says how to install these.
 *
 *     npm run bench:peers [-- --only PATTERN --peer zuko,nflows --rounds N --json FILE --results]
 *
 * `--results` measures us by ourselves too and writes bench/RESULTS.md.
 */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { aloneAll } from "./speed/alone.ts";
import { warnOfSlowBlas } from "./speed/blas.ts";
import { loadCases } from "./speed/cases.ts";
import { comparisonRecord, comparisonTable } from "./speed/comparison.ts";
import { startOurs, startPeers } from "./speed/contestants.ts";
import { circumstances, warnOfBusyMachine } from "./speed/machine.ts";
import { resultsText } from "./speed/results.ts";
import { compete } from "./speed/rounds.ts";

const { values } = parseArgs({
  options: {
    only: { type: "string" },
    peer: { type: "string" },
    rounds: { type: "string", default: "5" },
    json: { type: "string" },
    results: { type: "boolean", default: false },
  },
});
const cases = loadCases(values.only);
warnOfSlowBlas();
warnOfBusyMachine();
const peers = await startPeers(values.peer);
for (const { name, versions } of peers)
  if (versions["BLAS kernel"]) console.error(`${name}: BLAS kernel ${versions["BLAS kernel"]}`);
const ours = await startOurs();
const comparisons = await compete(cases, ours, peers, Number(values.rounds));
for (const contestant of [ours, ...peers]) contestant.stop();

console.log(comparisonTable(comparisons));
if (values.json) {
  writeFileSync(values.json, `${JSON.stringify(comparisons.map(comparisonRecord), null, 1)}\n`);
}
if (values.results) {
  const { peak, results } = await aloneAll(cases);
  const text = resultsText(circumstances(peers), peak, results, comparisons);
  writeFileSync(new URL("RESULTS.md", import.meta.url), text);
}
