/**
 * Compares the times of image flows with PyTorch, in alternating rounds: a training step on 64 images of MNIST's size, and drawing 64 images.
 * bench/peers/torch_images.py has the same flows with the same parameters. Prints the numbers of the table in bench/images/RESULTS.md.
 *
 *     npx tsx bench/images/speed.ts [--only PATTERN] [--rounds N] [--utilization]
 *
 * With --utilization it prints how much of the processor's peak each case reaches instead, without PyTorch.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { encodeModel } from "../../src/tables/model/index.ts";
import { warnOfSlowBlas } from "../speed/blas.ts";
import { type Case, selectCases } from "../speed/cases.ts";
import { comparisonTable } from "../speed/comparison.ts";
import { Contestant } from "../speed/contestant.ts";
import { startOurs } from "../speed/contestants.ts";
import { flowOf } from "../speed/flows.ts";
import { warnOfBusyMachine } from "../speed/machine.ts";
import { runRounds } from "../speed/rounds.ts";
import { measureUtilization, utilizationTable } from "../speed/utilization.ts";
import { imageFlows } from "./flows.ts";

const IMAGES = 64;

const { values } = parseArgs({
  options: {
    only: { type: "string" },
    rounds: { type: "string", default: "5" },
    utilization: { type: "boolean", default: false },
  },
});
warnOfBusyMachine();
const cases = Object.keys(imageFlows).flatMap((flow): Case[] => [
  { name: `train ${flow} b${IMAGES}`, job: "train", flow, dim: 784, batch: IMAGES },
  { name: `sample ${flow} ${IMAGES}`, job: "sample", flow, dim: 784, rows: IMAGES },
]);
if (values.utilization) {
  const { peak, results } = await measureUtilization(selectCases(cases, values.only));
  console.log(`The peak of matrix products is ${peak.toFixed(0)} GFLOP/s.\n\n${utilizationTable(results)}`);
  process.exit();
}
warnOfSlowBlas();
const folder = mkdtempSync(join(tmpdir(), "image-flows-"));
try {
  for (const benchCase of cases.filter(({ job }) => job === "train"))
    writeFileSync(join(folder, `${benchCase.flow}.safetensors`), encodeModel({ flow: flowOf(benchCase) }));
  const peer = fileURLToPath(new URL("../peers/torch_peer.py", import.meta.url));
  const python = process.env.PYTHON ?? "python3";
  const contestants = await Promise.all([
    startOurs(),
    Contestant.start("PyTorch", [python, peer, "images", "--models", folder]),
  ]);
  const [ours, ...peers] = contestants;
  const comparisons = await runRounds(selectCases(cases, values.only), ours, peers, Number(values.rounds));
  for (const contestant of contestants) contestant.stop();
  console.log(comparisonTable(comparisons));
} finally {
  rmSync(folder, { recursive: true });
}
