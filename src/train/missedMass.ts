import type { Random } from "../random/index.ts";

/** A point belongs to the missed mass if the normalized target is at least this many times as dense there as the flow. */
export const MIN_DENSITY_RATIO = 100;

/** The number of chains is a tenth of the sample size. With 20 steps each, that is two evaluations of the target per sample. */
const CHAINS_PER_SAMPLE = 0.1;
const STEPS_PER_CHAIN = 20;

/**
 * Scales of proposals relative to 2.38 / sqrt(2 d), the optimum for a Gaussian target, are log-uniform in this range. Small ones
 * explore the surroundings of a sample, and large ones jump to other modes.
 */
const [MIN_SCALE, MAX_SCALE] = [0.1, 10];

/** A smaller share is not reported as missed mass: even for good fits, one or two chains end where the flow has almost no density. */
const MIN_REPORTED_SHARE = 0.005;
const MIN_REPORTED_CHAINS = 5;

/** The share is reported only if it is larger than this many standard errors. */
const MIN_STANDARD_ERRORS = 2;

/** A weighted sample of the target, and functions that evaluate the target and the flow at other points. */
export interface WeightedSample {
  readonly features: number;
  /** [n, D], drawn from the flow. */
  readonly samples: Float64Array;
  /** log(p~(x) / q(x)) of each sample minus their logsumexp. */
  readonly logWeights: Float64Array;
  /** Estimate of log Z in nats from all samples. */
  readonly logNormalizer: number;
  /** log p~(x) of each sample. */
  readonly logTarget: Float64Array;
  /** log p~(x) of other rows [m, D]. */
  evaluateTarget(rows: Float64Array): Promise<Float64Array>;
  /** log q(x) of other rows [m, D]. */
  evaluateFlow(rows: Float64Array): Promise<Float64Array>;
}

export interface MissedMass {
  /** Estimated share of the target's mass where the flow has almost no density. */
  readonly share: number;
  /** Standard error of `share`. */
  readonly standardError: number;
  /** The end of the chain with the median log(p / q) among the chains that found missed mass; undefined if that is not significant. */
  readonly example: Float64Array | undefined;
}

/**
 * Looks for mass of the target p = p~ / Z that the flow q misses. Estimates from samples of q cannot show it, so short Markov
 * chains with the stationary distribution p start at samples of q, resampled by their weights, and move away from them.
 *
 * Let A be the set of points with p(x) > 100 q(x). Its mass under q is below p(A) / 100, so samples of q are rarely in A. The
 * share of chains that end in A minus the share of A in the weighted sample estimates the missed mass from below: chains
 * that start with the density p / p(S) on a set S never have a density above p / p(S), so on average at most p(A) / p(S) of them
 * end in A.
 *
 * The chains are Metropolis chains that propose x + s (a - b) for two samples a, b of q (differential evolution, ter Braak
 * 2006), so they adapt to the scales and correlations of q. On average, every second proposal changes only one column. A mode
 * that such proposals do not reach is not found.
 */
export async function findMissedMass(sample: WeightedSample, random: Random): Promise<MissedMass> {
  const { features, logWeights, logNormalizer } = sample;
  const n = logWeights.length;
  const chains = await runChains(sample, Math.ceil(CHAINS_PER_SAMPLE * n), random);
  const logFlow = await sample.evaluateFlow(chains.rows);

  const logBound = Math.log(MIN_DENSITY_RATIO);
  const logRatios = logFlow.map((logQ, i) => chains.logTarget[i] - logNormalizer - logQ);
  const reached = [...logRatios.keys()]
    .filter((i) => logRatios[i] > logBound)
    .sort((a, b) => logRatios[a] - logRatios[b]);
  // The weighted sample contains this part of the mass of A, so it is not missed.
  const sampleWeights = logWeights.filter((logWeight) => logWeight + Math.log(n) > logBound).map(Math.exp);
  const sampleShare = sampleWeights.reduce((sum, weight) => sum + weight, 0);
  const sampleVariance = sampleWeights.reduce((sum, weight) => sum + weight * weight, 0);

  const m = logFlow.length;
  const chainShare = reached.length / m;
  const share = Math.max(0, chainShare - sampleShare);
  const standardError = Math.sqrt((chainShare * (1 - chainShare)) / m + sampleVariance);
  const significant =
    share >= MIN_REPORTED_SHARE &&
    reached.length >= MIN_REPORTED_CHAINS &&
    share > MIN_STANDARD_ERRORS * standardError;
  if (!significant) return { share, standardError, example: undefined };
  const median = reached[reached.length >> 1];
  return { share, standardError, example: row(chains.rows, median, features) };
}

/** Runs `count` chains from samples of the flow. Returns where they end, [count, D], and log p~ there. */
async function runChains(
  { features, samples, logWeights, logTarget, evaluateTarget }: WeightedSample,
  count: number,
  random: Random,
): Promise<{ rows: Float64Array; logTarget: Float64Array }> {
  const n = logWeights.length;
  const starts = resample(logWeights, count, random.split("starts").uniform(new Float64Array(1))[0]);
  const rows = new Float64Array(count * features);
  starts.forEach((start, i) => {
    rows.set(row(samples, start, features), i * features);
  });
  const current = Float64Array.from(starts, (start) => logTarget[start]);
  const UNIFORMS_PER_CHAIN = 6;
  const uniform = new Float64Array(count * UNIFORMS_PER_CHAIN);
  for (let step = 0; step < STEPS_PER_CHAIN; step++) {
    random.split("steps").split(step).uniform(uniform);
    const proposed = rows.slice();
    for (let i = 0; i < count; i++) {
      const [u, first, second, kind, column] = uniform.subarray(i * UNIFORMS_PER_CHAIN);
      const single = kind < 0.5 || features === 1;
      const [from, to] = single ? [Math.floor(column * features), 1] : [0, features];
      const scale = (2.38 / Math.sqrt(2 * to)) * MIN_SCALE * (MAX_SCALE / MIN_SCALE) ** u;
      const [a, b] = [Math.floor(first * n) * features, Math.floor(second * n) * features];
      for (let k = from; k < from + to; k++)
        proposed[i * features + k] += scale * (samples[a + k] - samples[b + k]);
    }
    const candidate = await evaluateTarget(proposed);
    for (let i = 0; i < count; i++) {
      // The density may be NaN outside of its support. A comparison with NaN is false, so such a point is not accepted.
      const accepted = Math.log(uniform[i * UNIFORMS_PER_CHAIN + 5]) < candidate[i] - current[i];
      if (!accepted || candidate[i] === Number.POSITIVE_INFINITY) continue;
      current[i] = candidate[i];
      rows.set(row(proposed, i, features), i * features);
    }
  }
  return { rows, logTarget: current };
}

/** Systematic resampling with one uniform number: returns `count` indices, each in proportion to its weight. */
export function resample(logWeights: Float64Array, count: number, uniform: number): number[] {
  const chosen: number[] = [];
  let cumulative = 0;
  logWeights.forEach((logWeight, i) => {
    cumulative += Math.exp(logWeight);
    while (chosen.length < count && chosen.length + uniform < count * cumulative) chosen.push(i);
  });
  // By rounding, the weights may sum to less than 1, so that an index is missing at the end.
  const last = logWeights.findLastIndex((logWeight) => logWeight > Number.NEGATIVE_INFINITY);
  while (chosen.length < count) chosen.push(last);
  return chosen;
}

const row = (rows: Float64Array, i: number, features: number): Float64Array =>
  rows.subarray(i * features, (i + 1) * features);
