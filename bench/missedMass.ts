/**
 * Compares methods that detect mass of a density that a fitted flow misses, and writes bench/missedMass/RESULTS.md.
 *
 *     npm run bench:missed-mass
 *
 * Each case is fitted with three seeds, and each fit is diagnosed with five seeds. The columns of the table are means over
 * these 15 diagnoses, or the number of diagnoses with an alarm.
 */
import { writeFileSync } from "node:fs";
import type { Flow } from "../src/flows/index.ts";
import type { Tensor } from "../src/graph/index.ts";
import { Random } from "../src/random/index.ts";
import { compile } from "../src/runtime/index.ts";
import { fitDensity, importance } from "../src/train/index.ts";
import { type Case, cases } from "./missedMass/cases.ts";
import { environmentOf } from "./speed/machine.ts";

const FIT_SEEDS = [0, 1, 2];
const DIAGNOSIS_SEEDS = [10, 11, 12, 13, 14];
const DRAWS = 10_000;

/** A draw is at the bound of the splines if a coordinate exceeds this share of the bound. */
const BOUND_SHARE = 0.98;

/** The wider proposal gives an alarm if its log Z is larger by more than this number of standard errors. */
const ALARM_STANDARD_ERRORS = 3;

/** What all methods report for one fit and one seed. */
interface Diagnosis {
  readonly logNormalizer: number;
  readonly logNormalizerError: number;
  readonly effectiveShare: number;
  readonly paretoShape: number;
  /** Share of the draws at the bound of the splines. */
  readonly atBound: number;
  /** log Z estimated with a wider proposal minus `logNormalizer`, in standard errors. */
  readonly wider: number;
  readonly missedMass: number;
  /** Whether `importance` warned of missed mass. */
  readonly alarm: boolean;
  /** Whether `importance` gave any warning, of missed mass or of heavy weights. */
  readonly warned: boolean;
}

const rows: string[] = [];
for (const each of cases) {
  const results: Diagnosis[] = [];
  for (const seed of FIT_SEEDS) {
    const flow = each.build(seed);
    const optimizer = { learningRate: 3e-3 };
    await fitDensity(flow, each.target, { steps: each.steps, optimizer, seed, samples: 2, threads: 1 });
    for (const diagnosisSeed of DIAGNOSIS_SEEDS) results.push(await diagnose(flow, each, diagnosisSeed));
  }
  const row = tableRow(each, results);
  console.log(row);
  rows.push(row);
}
const { date, processor, node } = environmentOf([]);
const page = `# Detecting mass that a fitted flow misses

${date}, ${processor}, Node ${node.replace(/^v/, "")}; written by \`npm run bench:missed-mass\` (bench/missedMass.ts).

Each density is normalized, so log Z should be 0, and \`missed\`, which is 1 - Z, is the share of the mass that draws of the
flow do not reach. The flows of the lower half can represent their density. Those of the upper half, and the linear flows for
Student t and Cauchy columns, cannot represent it or have lost a mode. Each case is fitted with ${FIT_SEEDS.length} seeds, and each fit is
diagnosed with ${DIAGNOSIS_SEEDS.length} seeds and ${DRAWS} draws.

- **log Z ± error**: the mean estimate, and the mean standard error of one estimate.
- **ESS / n**, **k-hat**: the mean effective sample size and the largest Pareto shape, from draws of the flow. They do not
  detect missed mass.
- **at bound**: the share of draws beyond ${BOUND_SHARE} times the bound of the splines.
- **wider**: log Z estimated with a defensive mixture (Hesterberg 1995) minus log Z estimated with the flow, in standard errors.
  The mixture has the flow and the flow over independent Student t noise with 2 degrees of freedom. An alarm is a difference of
  more than ${ALARM_STANDARD_ERRORS} standard errors, and the column counts the alarms of ${FIT_SEEDS.length * DIAGNOSIS_SEEDS.length} diagnoses.
- **chains**: \`missedMass\`, which \`importance\` and \`fitDensity\` report, and the number of ${FIT_SEEDS.length * DIAGNOSIS_SEEDS.length} diagnoses with its warning.
- **warned**: the number of diagnoses with any warning, including that of heavy weights.

| density and flow | log Z ± error | ESS / n | k-hat | missed | at bound | wider | alarms | chains | alarms | warned |
|---|---|---|---|---|---|---|---|---|---|---|
${rows.join("\n")}
`;
writeFileSync(new URL("missedMass/RESULTS.md", import.meta.url), page);

async function diagnose(flow: Flow, { target, bound }: Case, seed: number): Promise<Diagnosis> {
  const result = await importance(flow, target, DRAWS, { seed, threads: 1 });
  const edge = BOUND_SHARE * (bound ?? Number.POSITIVE_INFINITY);
  let atBound = 0;
  for (let i = 0; i < DRAWS; i++) {
    const x = result.samples.subarray(i * flow.features, (i + 1) * flow.features);
    if (x.some((value) => Math.abs(value) >= edge)) atBound++;
  }
  const wideMixture = await defensiveMixture(flow, target, seed);
  return {
    logNormalizer: result.logNormalizer,
    logNormalizerError: result.logNormalizerError,
    effectiveShare: result.effectiveSampleSize / DRAWS,
    paretoShape: result.paretoShape,
    atBound: atBound / DRAWS,
    wider:
      (wideMixture.logNormalizer - result.logNormalizer) /
      Math.hypot(wideMixture.error, result.logNormalizerError),
    missedMass: result.missedMass,
    alarm: result.warnings.some((warning) => warning.startsWith("At least")),
    warned: result.warnings.length > 0,
  };
}

/**
 * Estimates log Z by importance sampling from a mixture: half of the draws are from the flow, half from the flow with Student
 * t noise instead of standard normal noise as its base.
 */
async function defensiveMixture(flow: Flow, target: Case["target"], seed: number) {
  const { features } = flow;
  const random = new Random(seed).split("wider");
  const size = [DRAWS * features] as const;
  const z = random.split("normal").normal(new Float64Array(size[0]));
  const uniform = random.split("uniform").uniform(new Float64Array(size[0]));
  // A normal divided by the root of an exponential variable has a Student t distribution with 2 degrees of freedom.
  for (let i = (DRAWS / 2) * features; i < z.length; i++) z[i] /= Math.sqrt(-Math.log(uniform[i]));
  const compiled = compile(
    (z: Tensor) => {
      const { value, logDet } = flow.bijection.forward(z);
      const wide = z
        .square()
        .div(2)
        .log1p()
        .mul(-1.5)
        .sum(1)
        .sub(features * Math.log(2 * Math.SQRT2));
      return { logTarget: target(value).add(logDet), base: flow.base.logProb(z), wide };
    },
    [["N", features]],
  );
  const { logTarget, base, wide } = await compiled(z);
  await compiled.release();
  const logWeights = Float64Array.from(logTarget, (value, i) => {
    const larger = Math.max(base[i], wide[i]);
    return value - larger - Math.log1p(Math.exp(-Math.abs(base[i] - wide[i]))) + Math.log(2);
  });
  const largest = logWeights.reduce((a, b) => Math.max(a, b));
  const weights = logWeights.map((weight) => Math.exp(weight - largest));
  const sum = weights.reduce((a, b) => a + b, 0);
  const squares = weights.reduce((a, b) => a + b * b, 0);
  return {
    logNormalizer: largest + Math.log(sum / DRAWS),
    error: Math.sqrt(squares / sum ** 2 - 1 / DRAWS),
  };
}

function tableRow({ name }: Case, results: readonly Diagnosis[]): string {
  const mean = (value: (each: Diagnosis) => number) =>
    results.reduce((sum, each) => sum + value(each), 0) / results.length;
  const largest = (value: (each: Diagnosis) => number) => Math.max(...results.map(value));
  const alarms = (predicate: (each: Diagnosis) => boolean) => `${results.filter(predicate).length}`;
  const logZ = mean((each) => each.logNormalizer);
  const percent = (share: number) => `${(100 * share).toFixed(1)}%`;
  return `| ${[
    name,
    `${logZ.toFixed(4)} ± ${mean((each) => each.logNormalizerError).toFixed(4)}`,
    mean((each) => each.effectiveShare).toFixed(3),
    largest((each) => each.paretoShape).toFixed(2),
    percent(Math.max(0, 1 - Math.exp(logZ))),
    percent(mean((each) => each.atBound)),
    mean((each) => each.wider).toFixed(1),
    alarms((each) => each.wider > ALARM_STANDARD_ERRORS),
    percent(mean((each) => each.missedMass)),
    alarms((each) => each.alarm),
    alarms((each) => each.warned),
  ].join(" | ")} |`;
}
