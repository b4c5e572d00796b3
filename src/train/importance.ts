import { PushforwardError } from "../errors.ts";
import type { Flow } from "../flows/flow.ts";
import type { RunOptions } from "../flows/rowJobs.ts";
import { Random } from "../random/index.ts";
import { compile } from "../runtime/compile.ts";
import { threadsInside } from "../runtime/team.ts";
import { importanceWarnings } from "./importanceWarnings.ts";
import { findMissedMass, type MissedMass } from "./missedMass.ts";
import { paretoShape } from "./paretoShape.ts";
import { shownRow } from "./shownRow.ts";
import { checkedDensity, type TargetDensity } from "./targetDensity.ts";

/** Rows at a time, so that memory stays bounded. */
const CHUNK = 1024;

export interface ImportanceOptions extends RunOptions {
  /** Seed of the draws and of the chains. Default 0. */
  seed?: number;
  /**
   * Looks for mass of the density that the flow misses, by short Markov chains: 2 n further evaluations of the density, and
   * n / 10 of the flow's. Turn it off where one of them is slow, or where columns are not continuous. Default true.
   */
  detectMissedMass?: boolean;
}

/** A weighted sample of the density p = p~ / Z, drawn from a flow q, and what it says of both. */
export interface ImportanceResult {
  /** [n, D], drawn from the flow. */
  readonly samples: Float64Array;
  /** log(p~(x) / q(x)) of each sample, less their logsumexp: the weights sum to 1. -Infinity where p~ is 0. */
  readonly logWeights: Float64Array;
  /** Evidence lower bound in nats: mean of log p~(x) - log q(x), which is log Z - KL(q || p). */
  readonly elbo: number;
  /** Standard error of `elbo`. */
  readonly standardError: number;
  /** log Z in nats: the logarithm of the mean of p~(x) / q(x). */
  readonly logNormalizer: number;
  /** Standard error of `logNormalizer`, to first order. */
  readonly logNormalizerError: number;
  /** (sum w)^2 / sum w^2, from 1 to n. */
  readonly effectiveSampleSize: number;
  /** Shape of the tail of the weights, which can be relied on below 0.7; see `paretoShape`. */
  readonly paretoShape: number;
  /**
   * Share of the mass of p, from 0 to 1, that short Markov chains found where p is more than 100 times as dense as q, and the
   * draws of the flow did not. The fields above do not include it. Usually there is more than the chains find. NaN with
   * `detectMissedMass: false`.
   */
  readonly missedMass: number;
  /** Standard error of `missedMass`. */
  readonly missedMassError: number;
  /**
   * What makes the numbers above unreliable, a sentence or two each, with a hint: missed mass, or weights with a heavy tail.
   * None is no proof: nothing sees a mode that neither the flow nor the chains reach.
   */
  readonly warnings: readonly string[];
}

/**
 * Draws n rows from a flow and weighs them by an unnormalized log-density, [N, D] -> [N]. Mass that the flow never draws is
 * looked for by Markov chains (`missedMass`), since the weights cannot show it.
 *
 * Throws `SHAPE` if the density gives no number for each row, and `NUMERIC` where it or the flow gives a NaN or +Infinity, or
 * the density is 0 at all rows.
 */
export async function importance(
  flow: Flow,
  logDensity: TargetDensity,
  n: number,
  options: ImportanceOptions = {},
): Promise<ImportanceResult> {
  const checked = checkedDensity(logDensity, flow.features);
  const { seed, detectMissedMass = true, ...run } = options;
  const { samples, logProb } = await flow.sampleAndLogProb(n, { ...run, seed });
  // Samples far from 0 keep in float64 what tells them apart.
  const precision = options.precision ?? (flow.columnForFloat64() ? "float64" : "float32");
  const target = compiledTarget(checked, flow.features, { ...run, precision });
  try {
    const logTarget = await target.evaluate(samples);
    const weighted = weigh(samples, logTarget, logProb, flow.features);
    const evaluateFlow = (rows: Float64Array) => flow.logProb(rows, undefined, run);
    const continued = { ...weighted, features: flow.features, logTarget, evaluateFlow };
    const missed: MissedMass = detectMissedMass
      ? await findMissedMass(
          { ...continued, evaluateTarget: target.evaluate },
          new Random(seed ?? 0).split("missedMass"),
        )
      : { share: Number.NaN, standardError: Number.NaN, example: undefined };
    return {
      ...weighted,
      missedMass: missed.share,
      missedMassError: missed.standardError,
      warnings: importanceWarnings(weighted, missed, flow.features),
    };
  } finally {
    await target.release();
  }
}

/** The fields that follow from log p~(x) and log q(x) of each sample. */
function weigh(
  samples: Float64Array,
  logTarget: Float64Array,
  logProb: Float64Array,
  features: number,
): Omit<ImportanceResult, "missedMass" | "missedMassError" | "warnings"> {
  const n = logProb.length;
  const logRatios = logTarget.map((value, i) => value - logProb[i]);
  const bad = logRatios.findIndex((ratio) => Number.isNaN(ratio) || ratio === Number.POSITIVE_INFINITY);
  if (bad >= 0) {
    const x = samples.subarray(bad * features, (bad + 1) * features);
    const ofFlow = ![...x, logProb[bad]].every(Number.isFinite);
    throw new PushforwardError(
      "NUMERIC",
      `${ofFlow ? "the flow" : "the log-density"} fails at x = ${shownRow(x)}`,
      {
        expected: "a finite number",
        received: `${ofFlow ? logProb[bad] : logTarget[bad]}`,
      },
    );
  }
  const largest = logRatios.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  if (largest === Number.NEGATIVE_INFINITY) {
    throw new PushforwardError("NUMERIC", "the log-density gives no weight to any sample", {
      expected: "a finite number somewhere",
      received: n === 0 ? "no samples" : `-Infinity at all ${n}`,
    });
  }
  const weights = logRatios.map((ratio) => Math.exp(ratio - largest));
  const sum = weights.reduce((a, b) => a + b, 0);
  const effectiveSampleSize = sum ** 2 / weights.reduce((a, b) => a + b * b, 0);
  const logSum = largest + Math.log(sum);
  const logWeights = logRatios.map((ratio) => ratio - logSum);
  return {
    samples,
    logWeights,
    ...meanOf(logRatios),
    logNormalizer: logSum - Math.log(n),
    logNormalizerError: Math.sqrt(Math.max(0, n / effectiveSampleSize - 1) / (n - 1)),
    effectiveSampleSize,
    paretoShape: paretoShape(logWeights),
  };
}

/** The log-density compiled for any number of rows: [N, D] -> [N]. */
function compiledTarget(logDensity: TargetDensity, features: number, options: RunOptions) {
  const compiled = compile(logDensity, [["N", features]], {
    providers: options.providers,
    precision: options.precision,
    threads: threadsInside(options.threads),
    embedParameters: true,
  });
  return {
    async evaluate(rows: Float64Array): Promise<Float64Array> {
      const result = new Float64Array(rows.length / features);
      for (let start = 0; start < result.length; start += CHUNK)
        result.set(await compiled(rows.subarray(start * features, (start + CHUNK) * features)), start);
      return result;
    },
    release: () => compiled.release(),
  };
}

function meanOf(values: Float64Array): { elbo: number; standardError: number } {
  const n = values.length;
  const elbo = values.reduce((a, b) => a + b, 0) / n;
  if (elbo === Number.NEGATIVE_INFINITY) return { elbo, standardError: Number.POSITIVE_INFINITY };
  const squares = values.reduce((sum, value) => sum + (value - elbo) ** 2, 0);
  return { elbo, standardError: Math.sqrt(squares / (n * (n - 1))) };
}
