import type { Random } from "../random/index.ts";

/** A point belongs to the missed mass if the normalized target is at least this many times as dense there as the flow. */
const MIN_DENSITY_RATIO = 100;

/** Chains for each row of the sample, and steps of each: in all two evaluations of the target for each row. */
const CHAINS_PER_ROW = 0.1;
const STEPS = 20;

/** Proposals have log-uniform scales around 2.38 / sqrt(2 d): the smallest explore, the largest jump to other modes. */
const [MIN_SCALE, MAX_SCALE] = [0.1, 10];

/** Below this share, and below this number of chains, what the chains find is not reported: good fits have up to two. */
const MIN_SHARE = 0.005;
const MIN_CHAINS = 5;

/** Standard errors that the share must lie above 0. */
const MIN_STANDARD_ERRORS = 2;

/** A weighted sample of the target, [n, D], and the functions to evaluate elsewhere. */
export interface WeightedSample {
  readonly features: number;
  /** [n, D], drawn from the flow. */
  readonly samples: Float64Array;
  /** log(p~(x) / q(x)) of each sample, less their logsumexp. */
  readonly logWeights: Float64Array;
  /** Of all samples together: log Z in nats. */
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
  /** The end of one of the chains that show it, of median log(p / q), if there are so many that it is no accident. */
  readonly example: Float64Array | undefined;
}

/**
 * Looks for mass of the target p = p~ / Z that the flow q misses. All numbers computed from draws of q are blind to it, so
 * short Markov chains with the stationary distribution p start at draws of q, resampled by their weights, and leave them.
 *
 * Let A be the points with p(x) > 100 q(x): its mass under q is below p(A) / 100, so draws of q show it too rarely. The share of
 * chains that end in A, less the share of A in the weighted sample, estimates the missed mass from below: where chains start
 * with the density p / p(S) on a set S, their density never exceeds p / p(S), so on average at most p(A) / p(S) of them end in A.
 *
 * Chains are Metropolis chains that propose x + s (a - b) for two draws a, b of q (differential evolution, ter Braak 2006),
 * so they adapt to the scales and correlations of q; every second proposal, on average, changes one column only. A mode that
 * no such proposal reaches is not found.
 */
export async function findMissedMass(sample: WeightedSample, random: Random): Promise<MissedMass> {
  const { features, logWeights, logNormalizer } = sample;
  const n = logWeights.length;
  const chains = await runChains(sample, Math.ceil(CHAINS_PER_ROW * n), random);
  const logFlow = await sample.evaluateFlow(chains.rows);

  const logBound = Math.log(MIN_DENSITY_RATIO);
  const logRatios = logFlow.map((logQ, i) => chains.logTarget[i] - logNormalizer - logQ);
  const reached = [...logRatios.keys()]
    .filter((i) => logRatios[i] > logBound)
    .sort((a, b) => logRatios[a] - logRatios[b]);
  // What the sample knows of A it does not miss.
  const known = logWeights.filter((logWeight) => logWeight + Math.log(n) > logBound).map(Math.exp);
  const knownShare = known.reduce((sum, weight) => sum + weight, 0);
  const knownVariance = known.reduce((sum, weight) => sum + weight * weight, 0);

  const m = logFlow.length;
  const found = reached.length / m;
  const share = Math.max(0, found - knownShare);
  const standardError = Math.sqrt((found * (1 - found)) / m + knownVariance);
  const significant =
    share >= MIN_SHARE && reached.length >= MIN_CHAINS && share > MIN_STANDARD_ERRORS * standardError;
  if (!significant) return { share, standardError, example: undefined };
  const median = reached[reached.length >> 1];
  return { share, standardError, example: row(chains.rows, median, features) };
}

/** Where chains end that start at draws of the flow: rows [count, D], and log p~ of each. */
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
  const NUMBERS = 6;
  const uniform = new Float64Array(count * NUMBERS);
  for (let step = 0; step < STEPS; step++) {
    random.split("steps").split(step).uniform(uniform);
    const proposed = rows.slice();
    for (let i = 0; i < count; i++) {
      const [u, first, second, kind, column] = uniform.subarray(i * NUMBERS);
      const single = kind < 0.5 || features === 1;
      const [from, to] = single ? [Math.floor(column * features), 1] : [0, features];
      const scale = (2.38 / Math.sqrt(2 * to)) * MIN_SCALE * (MAX_SCALE / MIN_SCALE) ** u;
      const [a, b] = [Math.floor(first * n) * features, Math.floor(second * n) * features];
      for (let k = from; k < from + to; k++)
        proposed[i * features + k] += scale * (samples[a + k] - samples[b + k]);
    }
    const candidate = await evaluateTarget(proposed);
    for (let i = 0; i < count; i++) {
      // Outside of its support a density may be a NaN: such a point is not accepted.
      const accepted = Math.log(uniform[i * NUMBERS + 5]) < candidate[i] - current[i];
      if (!accepted || candidate[i] === Number.POSITIVE_INFINITY) continue;
      current[i] = candidate[i];
      rows.set(row(proposed, i, features), i * features);
    }
  }
  return { rows, logTarget: current };
}

/** `count` indices, each as often as its weight says, by systematic resampling with one uniform number. */
function resample(logWeights: Float64Array, count: number, uniform: number): number[] {
  const chosen: number[] = [];
  let cumulative = 0;
  logWeights.forEach((logWeight, i) => {
    cumulative += Math.exp(logWeight);
    while (chosen.length < count && chosen.length + uniform < count * cumulative) chosen.push(i);
  });
  // Rounding can leave the sum of all weights below 1.
  const last = logWeights.findLastIndex((logWeight) => logWeight > Number.NEGATIVE_INFINITY);
  while (chosen.length < count) chosen.push(last);
  return chosen;
}

const row = (rows: Float64Array, i: number, features: number): Float64Array =>
  rows.subarray(i * features, (i + 1) * features);
