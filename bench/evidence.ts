/**
 * Compares the evidence that `infer` finds, with two seeds, with the known integrals of densities, and prints a table.
 *
 *     node --import tsx bench/evidence.ts [NAME...]
 */
import { infer } from "../src/inference/index.ts";
import { knownEvidence } from "./posteriors/knownEvidence.ts";

const SEEDS = [0, 1];

const names = process.argv.slice(2);
const columns = [
  ...[
    "density",
    "D",
    "seed",
    "verdict",
    "expected",
    "error of log Z",
    "error from the weights",
    "lower bound",
  ],
  ...["k-hat", "ESS of the weights", "R-hat", "divergences", "gradients", "seconds"],
];
console.log(`| ${columns.join(" | ")} |\n|${columns.map(() => " --- |").join("")}`);
for (const { title, model, flow, logEvidence, expected } of knownEvidence) {
  if (names.length > 0 && !names.some((each) => title.includes(each))) continue;
  const exact = await logEvidence;
  for (const seed of SEEDS) {
    const start = performance.now();
    const result = await infer(model, { seed, threads: 1, ...(flow && { flow: flow(seed) }) });
    const { weighted, verdict, effectiveSampleSize } = result;
    const estimate = (value: number, error: number) =>
      `${(value - exact).toFixed(4)} ± ${Number(error.toPrecision(1))}`;
    const rHat = Math.max(...result.summary.map((each) => each.rHat));
    const isRight = expected === "either" || (expected === "reliable") === (verdict === "reliable");
    const cells = [
      ...[title, model.features, seed, isRight ? verdict : `**${verdict}**`, expected],
      estimate(result.logEvidence, result.logEvidenceError),
      estimate(weighted.logEvidence, weighted.logEvidenceError),
      (result.elbo - exact).toFixed(4),
      result.paretoShape.toFixed(2),
      `${((100 * effectiveSampleSize) / weighted.logWeights.length).toFixed(1)}%`,
      ...[rHat.toFixed(3), result.divergences, result.evaluations],
      ((performance.now() - start) / 1000).toFixed(0),
    ];
    console.log(`| ${cells.join(" | ")} |`);
    for (const reason of result.reasons) console.error(`${title}: ${reason}`);
    await result.flow.release();
  }
}
