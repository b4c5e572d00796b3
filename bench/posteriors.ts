/**
 * Compares posteriors that `infer` finds with reference draws of posteriordb, and prints a table: the largest errors over all parameters, of
 * means and quantiles in reference standard deviations, and of standard deviations as a fraction. Seconds are those of one processor, with the
 * compilation of the graphs.
 *
 *     node --import tsx bench/posteriors.ts FOLDER [NAME...]
 *
 * FOLDER has the data and the reference draws of https://github.com/stan-dev/posteriordb: NAME.draws.csv.gz, and
 * DATA.data.json.gz, where DATA is the part of NAME before its first hyphen. Posteriors without files are named and left out.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { infer } from "../src/inference/index.ts";
import { resample } from "../src/train/missedMass.ts";
import { errorsOf } from "./posteriors/errors.ts";
import { others } from "./posteriors/others.ts";
import type { Posterior } from "./posteriors/posterior.ts";
import { readData, readReference } from "./posteriors/reference.ts";
import { regressions } from "./posteriors/regressions.ts";
import { timeSeries } from "./posteriors/timeSeries.ts";

const posteriors: Readonly<Record<string, Posterior>> = { ...regressions, ...timeSeries, ...others };

/** Draws per chain: 8,000 in all, whose means have a standard error of about 0.011 standard deviations. */
const DRAWS = 1000;

const [folder, ...names] = process.argv.slice(2);
if (folder === undefined) throw new Error("usage: node --import tsx bench/posteriors.ts FOLDER [NAME...]");

const columns = [
  ...[
    "posterior",
    "D",
    "verdict",
    "flow: mean",
    "sd",
    "weighted: mean",
    "sd",
    "refined: mean",
    "sd",
    "quantiles",
  ],
  ...["ESS", "R-hat", "k-hat", "log Z", "divergences", "gradients", "seconds"],
];
console.log(`| ${columns.join(" | ")} |\n|${columns.map(() => " --- |").join("")}`);
for (const [key, { title = key, reference: name = key, model }] of Object.entries(posteriors)) {
  if (names.length > 0 && !names.some((each) => key.includes(each))) continue;
  if (!existsSync(join(folder, `${name}.draws.csv.gz`))) {
    console.log(`${name} was skipped: ${folder} has no reference draws.`);
    continue;
  }
  const posterior = model(readData(folder, name));
  const reference = readReference(folder, name);
  const start = process.cpuUsage();
  const result = await infer(posterior, { draws: DRAWS });
  const { user, system } = process.cpuUsage(start);
  const { parameters } = posterior;
  const flow = errorsOf(parameters, result.weighted.draws, reference);
  const { logWeights } = result.weighted;
  const chosen = resample(logWeights, logWeights.length, 0.5);
  const resampled = Object.fromEntries(
    Object.entries(result.weighted.draws).map(([parameter, values]) => {
      const size = values.length / logWeights.length;
      return [
        parameter,
        Float64Array.from(
          { length: values.length },
          (_, k) => values[chosen[Math.floor(k / size)] * size + (k % size)],
        ),
      ];
    }),
  );
  const weighted = errorsOf(parameters, resampled, reference);
  const refined = errorsOf(parameters, result.draws, reference);
  const varying = result.summary.filter(({ rHat }) => Number.isFinite(rHat));
  const fewest = Math.min(...varying.flatMap((s) => [s.bulkEffectiveSampleSize, s.tailEffectiveSampleSize]));
  const text = (value: number, digits = 3) => value.toFixed(digits);
  const cells = [
    ...[
      title,
      posterior.features,
      result.verdict,
      text(flow.mean),
      text(flow.sd),
      text(weighted.mean),
      text(weighted.sd),
    ],
    ...[text(refined.mean), text(refined.sd), text(refined.quantile), Math.round(fewest)],
    ...[text(Math.max(...varying.map(({ rHat }) => rHat))), text(result.paretoShape, 2)],
    `${text(result.logEvidence)} ± ${result.logEvidenceError.toPrecision(1)}`,
    ...[result.divergences, result.evaluations, text((user + system) / 1e6, 1)],
  ];
  console.log(`| ${cells.join(" | ")} |`);
  for (const reason of result.reasons) console.error(reason);
  await result.flow.release();
}
