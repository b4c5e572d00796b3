/**
 * Compares ways to detect mass of a density that a fitted flow misses, and writes bench/missedMass/RESULTS.md.
 *
 *     npm run bench:missed-mass
 *
 * Each case is fitted with three seeds, and each fit is examined with five: the columns of the table are means over these 15,
 * or say how many of them gave an alarm.
 */
import { writeFileSync } from "node:fs";
import type { Flow } from "../src/flows/index.ts";
import type { Tensor } from "../src/graph/index.ts";
import { Random } from "../src/random/index.ts";
import { compile } from "../src/runtime/index.ts";
import { fitDensity, importance } from "../src/train/index.ts";
import { type Case, cases } from "./missedMass/cases.ts";
import { environmentOf } from "./speed/machine.ts";

const FITS = [0, 1, 2];
const EXAMINATIONS = [10, 11, 12, 13, 14];
const SAMPLES = 10_000;

/** A draw lies at the bound of a spline from this share of it on. */
const AT_BOUND = 0.98;

/** A difference of log Z of more standard errors than these is an alarm. */
const ALARM = 3;

interface Examination {
  readonly logNormalizer: number;
  readonly logNormalizerError: number;
  readonly effectiveShare: number;
  readonly paretoShape: number;
  /** Share of the draws at the bound of the splines. */
  readonly atBound: number;
  /** log Z by a wider proposal less `logNormalizer`, in standard errors. */
  readonly wider: number;
  readonly missedMass: number;
  readonly alarm: boolean;
  /** Whether there was any warning, of the chains or of the weights. */
  readonly warned: boolean;
}

const rows: string[] = [];
for (const each of cases) {
  const results: Examination[] = [];
  for (const seed of FITS) {
    const flow = each.build(seed);
    const optimizer = { learningRate: 3e-3 };
    await fitDensity(flow, each.target, { steps: each.steps, optimizer, seed, samples: 2, threads: 1 });
    for (const examination of EXAMINATIONS) results.push(await examine(flow, each, examination));
  }
  const row = tableRow(each, results);
  console.log(row);
  rows.push(row);
}
const { date, processor, node } = environmentOf([]);
const page = `# Detecting mass that a fitted flow misses

${date}, ${processor}, Node ${node.replace(/^v/, "")}; written by \`npm run bench:missed-mass\` (bench/missedMass.ts).

Each density is normalized, so log Z should be 0, and \`missed\`, which is 1 - Z, is the share of the mass that the draws of
the flow do not show. The flows of the lower half can represent their density; those of the upper half, and the linear ones
with Student t and Cauchy columns, cannot, or have lost a mode. Each case is fitted with ${FITS.length} seeds, and each fit is
examined with ${EXAMINATIONS.length} seeds, with ${SAMPLES} draws.

- **ESS / n**, **k-hat**: computed from draws of the flow, mean and largest value. They do not see missed mass.
- **at bound**: the share of draws from ${AT_BOUND} of the splines' bound on.
- **wider**: log Z by the defensive mixture (Hesterberg 1995) of the flow and of the flow over independent Student t noise with 2
  degrees of freedom, less log Z by the flow, in standard errors; how many of ${FITS.length * EXAMINATIONS.length} exceed ${ALARM}.
- **chains**: \`missedMass\`, which \`importance\` and \`fitDensity\` report; how many of ${FITS.length * EXAMINATIONS.length} gave its warning.
- **warned**: how many gave any warning, that of heavy weights included.

| density and flow | log Z ± error | ESS / n | k-hat | missed | at bound | wider | alarms | chains | alarms | warned |
|---|---|---|---|---|---|---|---|---|---|---|
${rows.join("\n")}
`;
writeFileSync(new URL("missedMass/RESULTS.md", import.meta.url), page);

async function examine(flow: Flow, { target, bound }: Case, seed: number): Promise<Examination> {
  const result = await importance(flow, target, SAMPLES, { seed, threads: 1 });
  const edge = AT_BOUND * (bound ?? Number.POSITIVE_INFINITY);
  let atBound = 0;
  for (let i = 0; i < SAMPLES; i++) {
    const x = result.samples.subarray(i * flow.features, (i + 1) * flow.features);
    if (x.some((value) => Math.abs(value) >= edge)) atBound++;
  }
  const wide = await defensiveMixture(flow, target, seed);
  return {
    logNormalizer: result.logNormalizer,
    logNormalizerError: result.logNormalizerError,
    effectiveShare: result.effectiveSampleSize / SAMPLES,
    paretoShape: result.paretoShape,
    atBound: atBound / SAMPLES,
    wider: (wide.logNormalizer - result.logNormalizer) / Math.hypot(wide.error, result.logNormalizerError),
    missedMass: result.missedMass,
    alarm: result.warnings.some((warning) => warning.startsWith("At least")),
    warned: result.warnings.length > 0,
  };
}

/** log Z by draws half of the flow, half of the flow over Student t noise. Bases are standard normal. */
async function defensiveMixture(flow: Flow, target: Case["target"], seed: number) {
  const { features } = flow;
  const random = new Random(seed).split("wider");
  const size = [SAMPLES * features] as const;
  const z = random.split("normal").normal(new Float64Array(size[0]));
  const uniform = random.split("uniform").uniform(new Float64Array(size[0]));
  // A normal over the root of an exponential is a Student t with 2 degrees of freedom.
  for (let i = (SAMPLES / 2) * features; i < z.length; i++) z[i] /= Math.sqrt(-Math.log(uniform[i]));
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
    logNormalizer: largest + Math.log(sum / SAMPLES),
    error: Math.sqrt(squares / sum ** 2 - 1 / SAMPLES),
  };
}

function tableRow({ name }: Case, results: readonly Examination[]): string {
  const mean = (value: (each: Examination) => number) =>
    results.reduce((sum, each) => sum + value(each), 0) / results.length;
  const largest = (value: (each: Examination) => number) => Math.max(...results.map(value));
  const alarms = (is: (each: Examination) => boolean) => `${results.filter(is).length}`;
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
    alarms((each) => each.wider > ALARM),
    percent(mean((each) => each.missedMass)),
    alarms((each) => each.alarm),
    alarms((each) => each.warned),
  ].join(" | ")} |`;
}
