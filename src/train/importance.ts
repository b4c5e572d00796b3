import { PushforwardError } from "../errors.ts";
import type { Flow } from "../flows/flow.ts";
import type { RunOptions } from "../flows/rowJobs.ts";
import { compile } from "../runtime/compile.ts";
import { threadsInside } from "../runtime/team.ts";
import { paretoShape } from "./paretoShape.ts";
import { checkedDensity, type TargetDensity } from "./targetDensity.ts";

/** Rows at a time, so that memory stays bounded. */
const CHUNK = 1024;

export interface ImportanceOptions extends RunOptions {
  /** Default 0. */
  seed?: number;
}

/** A weighted sample of the density p = p~ / Z, drawn from a flow q, and what it says of both. */
export interface Importance {
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
}

/**
 * Draws n rows from a flow and weighs them by an unnormalized log-density, [N, D] -> [N].
 *
 * Throws `SHAPE` if the density gives no number for each row, and `NUMERIC` where it or the flow gives a NaN or +Infinity, or
 * the density is 0 at all rows.
 */
export async function importance(
  flow: Flow,
  logDensity: TargetDensity,
  n: number,
  options: ImportanceOptions = {},
): Promise<Importance> {
  const checked = checkedDensity(logDensity, flow.features);
  const { samples, logProb } = await flow.sampleAndLogProb(n, options);
  // Samples far from 0 keep in float64 what tells them apart.
  const precision = options.precision ?? (flow.columnForFloat64() ? "float64" : "float32");
  const logTarget = await evaluate(checked, samples, flow.features, { ...options, precision });
  const logRatios = logTarget.map((value, i) => value - logProb[i]);
  const bad = logRatios.findIndex((ratio) => Number.isNaN(ratio) || ratio === Number.POSITIVE_INFINITY);
  if (bad >= 0) {
    const x = samples.subarray(bad * flow.features, (bad + 1) * flow.features);
    const ofFlow = ![...x, logProb[bad]].every(Number.isFinite);
    throw new PushforwardError(
      "NUMERIC",
      `${ofFlow ? "the flow" : "the log-density"} fails at x = ${shown(x)}`,
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

async function evaluate(
  logDensity: TargetDensity,
  rows: Float64Array,
  features: number,
  options: RunOptions,
) {
  const { threads, ...rest } = options;
  const compiled = compile(logDensity, [["N", features]], {
    providers: rest.providers,
    precision: rest.precision,
    threads: threadsInside(threads),
    embedParameters: true,
  });
  const result = new Float64Array(rows.length / features);
  try {
    for (let start = 0; start < result.length; start += CHUNK)
      result.set(await compiled(rows.subarray(start * features, (start + CHUNK) * features)), start);
  } finally {
    await compiled.release();
  }
  return result;
}

function meanOf(values: Float64Array): { elbo: number; standardError: number } {
  const n = values.length;
  const elbo = values.reduce((a, b) => a + b, 0) / n;
  if (elbo === Number.NEGATIVE_INFINITY) return { elbo, standardError: Number.POSITIVE_INFINITY };
  const squares = values.reduce((sum, value) => sum + (value - elbo) ** 2, 0);
  return { elbo, standardError: Math.sqrt(squares / (n * (n - 1))) };
}

/** A row as an error shows it. */
export function shown(x: ArrayLike<number>): string {
  const numbers = Array.from(x)
    .slice(0, 8)
    .map((value) => Number(value.toPrecision(4)));
  return `(${numbers.join(", ")}${x.length > 8 ? ", ..." : ""})`;
}
