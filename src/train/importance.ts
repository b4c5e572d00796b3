import { checkOptions, PushforwardError, seedValue, trueOrFalse } from "../check/index.ts";
import { ConditionedFlow, checkCount, checkFlow, type Flow, type RunOptions } from "../flows/index.ts";
import { mean, variance } from "../numerics/index.ts";
import { Random } from "../random/index.ts";
import { compile, intraOpThreads, runRules } from "../runtime/index.ts";
import { requireExactDensity } from "./checkProposal.ts";
import { formatRow } from "./formatRow.ts";
import { importanceWarnings } from "./importanceWarnings.ts";
import { findMissedMass, type MissedMass } from "./missedMass.ts";
import { paretoShape } from "./paretoShape.ts";
import { checkedDensity, type TargetDensity } from "./targetDensity.ts";

/** The largest number of rows in one evaluation of the density, which bounds memory. */
const MAX_ROWS_PER_CALL = 1024;

/** Options of `importance`. */
export interface ImportanceOptions extends RunOptions {
  /** Seed of the samples and of the Markov chains. Default 0. */
  seed?: number | undefined;
  /**
   * Whether to look for mass of the density that the flow misses, by short Markov chains. They take 2 n further evaluations of the
   * density, and n / 10 of the flow, or 2 n more if its bijection has a `support`. Turn this off if the density or the flow is slow, or if
   * columns are not continuous. Default true.
   */
  detectMissedMass?: boolean | undefined;
}

/** A weighted sample of the density p = p~ / Z, drawn from a flow q, and estimates from it. */
export interface ImportanceResult {
  /** [n, D], drawn from the flow. */
  readonly samples: Float64Array;
  /** log(p~(x) / q(x)) of each sample minus their logsumexp, so that the weights sum to 1. -Infinity where p~ is 0. */
  readonly logWeights: Float64Array;
  /** Evidence lower bound in nats: the mean of log p~(x) - log q(x), which estimates log Z - KL(q || p). */
  readonly elbo: number;
  /** Standard error of `elbo`. */
  readonly standardError: number;
  /** Estimate of log Z in nats: the logarithm of the mean of p~(x) / q(x). */
  readonly logNormalizer: number;
  /** Standard error of `logNormalizer`, to first order. */
  readonly logNormalizerError: number;
  /** (sum w)^2 / sum w^2, from 1 to n. */
  readonly effectiveSampleSize: number;
  /** Pareto shape of the tail of the weights: estimates from them are reliable below 0.7. See `paretoShape`. */
  readonly paretoShape: number;
  /**
   * Estimated share of the mass of p, from 0 to 1, that samples of the flow miss and short Markov chains found, where p is
   * more than 100 times as dense as q. It is a lower bound in expectation. The fields above do not include this mass. NaN with
   * `detectMissedMass: false`.
   */
  readonly missedMass: number;
  /** Standard error of `missedMass`. */
  readonly missedMassError: number;
  /** Whether `missedMass` is at least 0.5%, found by five chains, and more than two standard errors. `warnings` then has a sentence on it. */
  readonly isMissedMassSignificant: boolean;
  /**
   * Reasons why the numbers above are unreliable (missed mass, or weights with a heavy tail), each with a hint. An empty list does
   * not prove that they are reliable: a mode that neither the flow nor the chains reach stays undetected.
   */
  readonly warnings: readonly string[];
}

/**
 * Importance sampling: draws n samples from a flow and weights them by an unnormalized log-density, [N, D] -> [N]. The weights
 * cannot show mass where the flow draws no samples, so Markov chains look for it (`missedMass`). If the bijection of the flow has a `support`, such
 * as the positive numbers of `Exp`, the density is taken to be 0 outside of it. The flow is unconditional, or has a fixed context: `flow.withContext(context)`.
 *
 * @throws ARGUMENT when n is not an integer from 2, for a conditional flow without a context, or for a flow with only a bound of its
 *   log-density; SHAPE when the density does not return a number for each row; NUMERIC when the density or the flow returns NaN or +Infinity
 *   for a sample, or the density is 0 for all samples.
 */
export async function importance(
  flow: Flow | ConditionedFlow,
  logDensity: TargetDensity,
  n: number,
  options: ImportanceOptions = {},
): Promise<ImportanceResult> {
  const whole = flow instanceof ConditionedFlow ? flow.flow : flow;
  checkFlow("importance", whole);
  requireExactDensity(whole);
  checkOptions("importance", options, { ...runRules, seed: seedValue, detectMissedMass: trueOrFalse });
  checkCount("the number of samples", n, 2);
  const checkedLogDensity = checkedDensity(logDensity, flow.features);
  const { seed, detectMissedMass = true, ...run } = options;
  const proposal = proposalOf(flow, run);
  const { samples, logProb } = await proposal.draw(n, seed);
  // In float32, samples far from 0 would lose the digits in which they differ.
  const precision = options.precision ?? (whole.columnForFloat64() ? "float64" : "float32");
  const target = compileTarget(checkedLogDensity, flow.features, { ...run, precision });
  try {
    const logTarget = await target.evaluate(samples);
    const weighted = importanceWeights(samples, logTarget, logProb, flow.features);
    const missedMassInput = {
      ...weighted,
      features: flow.features,
      logTarget,
      evaluateFlow: proposal.logProb,
    };
    /** The log-density, restricted to the set onto which the bijection maps: a density with bounds may be valid only there. */
    const evaluateTarget = async (rows: Float64Array) => {
      if (!whole.bijection.support) return target.evaluate(rows);
      const [logDensities, logFlow] = await Promise.all([target.evaluate(rows), proposal.logProb(rows)]);
      return logDensities.map((value, i) =>
        logFlow[i] === Number.NEGATIVE_INFINITY ? Number.NEGATIVE_INFINITY : value,
      );
    };
    const missed: MissedMass = detectMissedMass
      ? await findMissedMass(
          { ...missedMassInput, evaluateTarget },
          new Random(seed ?? 0).split("missedMass"),
        )
      : { share: Number.NaN, standardError: Number.NaN, example: undefined };
    return {
      ...weighted,
      missedMass: missed.share,
      missedMassError: missed.standardError,
      isMissedMassSignificant: missed.example !== undefined,
      warnings: importanceWarnings(weighted, missed, flow.features),
    };
  } finally {
    await target.release();
  }
}

/** How a flow draws samples and evaluates rows. */
const proposalOf = (flow: Flow | ConditionedFlow, run: RunOptions) =>
  flow instanceof ConditionedFlow
    ? {
        draw: (n: number, seed: number | undefined) => flow.sampleAndLogProb(n, { ...run, seed }),
        logProb: (rows: Float64Array) => flow.logProb(rows, run),
      }
    : {
        draw: (n: number, seed: number | undefined) => flow.sampleAndLogProb(n, { ...run, seed }),
        logProb: (rows: Float64Array) => flow.logProb(rows, undefined, run),
      };

/** The fields of the result that follow from log p~(x) and log q(x) of each sample. */
function importanceWeights(
  samples: Float64Array,
  logTarget: Float64Array,
  logProb: Float64Array,
  features: number,
): Omit<ImportanceResult, "missedMass" | "missedMassError" | "isMissedMassSignificant" | "warnings"> {
  const n = logProb.length;
  const logRatios = logTarget.map((value, i) => value - logProb[i]);
  const badIndex = logRatios.findIndex((ratio) => Number.isNaN(ratio) || ratio === Number.POSITIVE_INFINITY);
  if (badIndex >= 0) {
    const x = samples.subarray(badIndex * features, (badIndex + 1) * features);
    const flowFailed = ![...x, logProb[badIndex]].every(Number.isFinite);
    throw new PushforwardError(
      "NUMERIC",
      `${flowFailed ? "the flow" : "the log-density"} is not finite at x = ${formatRow(x)}`,
      {
        expected: "a finite number",
        received: `${flowFailed ? logProb[badIndex] : logTarget[badIndex]}`,
        hint: flowFailed
          ? "Fit the flow again, with a smaller learning rate."
          : "Return -Infinity where the density is 0, and a finite number elsewhere.",
      },
    );
  }
  const largest = logRatios.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  if (largest === Number.NEGATIVE_INFINITY) {
    throw new PushforwardError("NUMERIC", "the log-density is -Infinity for all samples of the flow", {
      expected: "a finite log-density of at least one sample",
      received: `-Infinity for all ${n} samples`,
      hint: "Give a flow whose samples lie where the density is positive, for example by the location and scale of its base.",
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
function compileTarget(logDensity: TargetDensity, features: number, options: RunOptions) {
  const compiled = compile(logDensity, [["N", features]], {
    providers: options.providers,
    precision: options.precision,
    threads: intraOpThreads(options.threads),
    embedParameters: true,
  });
  return {
    async evaluate(rows: Float64Array): Promise<Float64Array> {
      const result = new Float64Array(rows.length / features);
      for (let start = 0; start < result.length; start += MAX_ROWS_PER_CALL)
        result.set(
          await compiled(rows.subarray(start * features, (start + MAX_ROWS_PER_CALL) * features)),
          start,
        );
      return result;
    },
    release: () => compiled.release(),
  };
}

function meanOf(values: Float64Array): { elbo: number; standardError: number } {
  const elbo = mean(values);
  if (elbo === Number.NEGATIVE_INFINITY) return { elbo, standardError: Number.POSITIVE_INFINITY };
  return { elbo, standardError: Math.sqrt(variance(values, elbo) / values.length) };
}
