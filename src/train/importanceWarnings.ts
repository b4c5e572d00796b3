import type { ImportanceResult } from "./importance.ts";
import type { MissedMass } from "./missedMass.ts";
import { shownRow } from "./shownRow.ts";

/** Estimates from weights whose tail has a larger shape do not become reliable with any practical number of samples. */
const MAX_PARETO_SHAPE = 0.7;

/** Above this share of n, the effective sample size shows that the tail has too little weight to matter, whatever its shape. */
const MAX_EFFECTIVE_SHARE = 0.9;

/** A single draw with a larger weight dominates the estimates; of n draws, each has 1 / n where the flow is the density. */
const maxWeight = (n: number): number => Math.max(0.01, 20 / n);

/** What makes the numbers of a weighted sample unreliable, as sentences with a hint. */
export function importanceWarnings(
  {
    samples,
    logWeights,
    effectiveSampleSize,
    paretoShape,
  }: Pick<ImportanceResult, "samples" | "logWeights" | "effectiveSampleSize" | "paretoShape">,
  { share, example }: MissedMass,
  features: number,
): string[] {
  const warnings: string[] = [];
  const n = logWeights.length;
  if (example) {
    const percent = Number((100 * share).toPrecision(share < 0.1 ? 1 : 2));
    warnings.push(
      `At least about ${percent}% of the density's mass lies where the flow draws almost no rows, for example at x = ${shownRow(example)}: logNormalizer is too low by that share or more. ${placeOf(example, samples, features)}`,
    );
  }
  const largest = Math.exp(logWeights.reduce((a, b) => Math.max(a, b)));
  const heavy = paretoShape > MAX_PARETO_SHAPE && effectiveSampleSize < MAX_EFFECTIVE_SHARE * n;
  if (heavy || largest > maxWeight(n)) {
    warnings.push(
      `A few weights are far larger than the others (paretoShape ${paretoShape.toFixed(2)}, largest weight ${largest.toPrecision(2)} of 1), so weighted means and logNormalizer are unreliable. Fit with more steps or layers, or give the flow a base with heavier tails, such as StudentT.`,
    );
  }
  return warnings;
}

/** Where a missed point lies relative to the draws of the flow, and what helps. */
function placeOf(example: Float64Array, samples: Float64Array, features: number): string {
  const ranges = Array.from(example, (value, column) => {
    const [low, high] = rangeOf(samples, column, features);
    return { column, value, low, high, excess: Math.max(low - value, value - high) / (high - low) };
  });
  const { column, value, low, high, excess } = ranges.reduce((a, b) => (b.excess > a.excess ? b : a));
  if (!(excess > 0))
    return "Each of its columns is within the range of the flow's draws: fit with annealing, more layers or more steps.";
  const [shownValue, shownLow, shownHigh] = [value, low, high].map((x) => Number(x.toPrecision(3)));
  return `Its column ${column} is ${shownValue}, and the flow draws from ${shownLow} to ${shownHigh}: raise the bound of splines that end there, give the flow a base with heavier tails, such as StudentT, or, if it is another mode, fit with annealing.`;
}

function rangeOf(samples: Float64Array, column: number, features: number): [number, number] {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = column; i < samples.length; i += features) {
    low = Math.min(low, samples[i]);
    high = Math.max(high, samples[i]);
  }
  return [low, high];
}
