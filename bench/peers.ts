/**
 * Compares pushforward's times with those of other libraries in alternating rounds. bench/peers/README.md says how to
 * install them.
 *
 *     npm run bench:peers [-- --only PATTERN --peer zuko,nflows --rounds N --json FILE]
 *     npm run bench:peers -- --results [--rounds N --json FILE]
 *
 * `--results` also measures the utilization of the processor and writes bench/RESULTS.md, so it needs all cases and peers.
 */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { warnOfSlowBlas } from "./speed/blas.ts";
import { loadCases } from "./speed/cases.ts";
import { comparisonRecord, comparisonTable } from "./speed/comparison.ts";
import { startOurs, startPeers } from "./speed/contestants.ts";
import { environmentOf, warnOfBusyMachine } from "./speed/machine.ts";
import { resultsText } from "./speed/results.ts";
import { runRounds } from "./speed/rounds.ts";
import { measureUtilization } from "./speed/utilization.ts";

const { values } = parseArgs({
  options: {
    only: { type: "string" },
    peer: { type: "string" },
    rounds: { type: "string", default: "5" },
    json: { type: "string" },
    results: { type: "boolean", default: false },
  },
});
if (values.results && (values.only !== undefined || values.peer !== undefined))
  throw new Error("--results writes all cases and peers: leave out --only and --peer, or --results");
const cases = loadCases(values.only);
warnOfSlowBlas();
warnOfBusyMachine();
const peers = await startPeers(values.peer);
for (const { name, versions } of peers)
  if (versions["BLAS kernel"]) console.error(`${name}: BLAS kernel ${versions["BLAS kernel"]}`);
const ours = await startOurs();
// Read before the run, since the commit may change while it runs.
const environment = environmentOf(peers);
const comparisons = await runRounds(cases, ours, peers, Number(values.rounds));
for (const contestant of [ours, ...peers]) contestant.stop();

console.log(comparisonTable(comparisons));
if (values.json) {
  writeFileSync(values.json, `${JSON.stringify(comparisons.map(comparisonRecord), null, 1)}\n`);
}
if (values.results) {
  const { peak, results } = await measureUtilization(cases);
  const text = resultsText(environment, peak, results, comparisons);
  writeFileSync(new URL("RESULTS.md", import.meta.url), text);
}
