import { formatRow } from "./formatRow.ts";
import type { ImportanceResult } from "./importance.ts";
import type { MissedMass } from "./missedMass.ts";
import { largestWeight } from "./paretoShape.ts";

/** With a larger Pareto shape, no practical number of samples makes estimates reliable (Vehtari et al. 2024). */
const MAX_PARETO_SHAPE = 0.7;

/** If the effective sample size is a larger share of n, the tail has too little weight to matter, whatever its shape. */
const MAX_EFFECTIVE_SHARE = 0.9;

/** A single sample with a larger weight dominates the estimates. If the flow equals the density, each sample has the weight 1 / n. */
const maxWeight = (n: number): number => Math.max(0.01, 20 / n);

type Weights = Pick<ImportanceResult, "logWeights" | "effectiveSampleSize" | "paretoShape">;

/** Whether a few weights are so large that weighted means are unreliable. */
export function hasLargeWeights({ logWeights, effectiveSampleSize, paretoShape }: Weights): boolean {
  const n = logWeights.length;
  const isHeavy = paretoShape > MAX_PARETO_SHAPE && effectiveSampleSize < MAX_EFFECTIVE_SHARE * n;
  return isHeavy || largestWeight(logWeights) > maxWeight(n);
}

/** Reasons why estimates from a weighted sample are unreliable, in sentences with a hint. */
export function importanceWarnings(
  result: Weights & Pick<ImportanceResult, "samples">,
  { share, example }: MissedMass,
  features: number,
): string[] {
  const { samples, logWeights, paretoShape } = result;
  const warnings: string[] = [];
  if (example) {
    const percent = Number((100 * share).toPrecision(share < 0.1 ? 1 : 2));
    warnings.push(
      `At least about ${percent}% of the density's mass lies where the flow has almost no samples, for example at x = ${formatRow(example)}: logNormalizer is too low, because it lacks this mass. ${describeLocation(example, samples, features)}`,
    );
  }
  if (hasLargeWeights(result)) {
    warnings.push(
      `A few weights are far larger than the others (paretoShape ${paretoShape.toFixed(2)}, largest weight ${largestWeight(logWeights).toPrecision(2)} of a sum of 1), so weighted means and logNormalizer are unreliable. Fit with more steps or layers, or give the flow a base with heavier tails, such as StudentT.`,
    );
  }
  return warnings;
}

/** Describes where a missed point lies relative to the samples of the flow, with a hint. */
function describeLocation(example: Float64Array, samples: Float64Array, features: number): string {
  const ranges = Array.from(example, (value, column) => {
    const [low, high] = rangeOf(samples, column, features);
    return { column, value, low, high, excess: Math.max(low - value, value - high) / (high - low) };
  });
  const { column, value, low, high, excess } = ranges.reduce((a, b) => (b.excess > a.excess ? b : a));
  if (!(excess > 0))
    return "Each column of this point is within the range of the flow's samples: fit with annealing, more layers or more steps.";
  const [shownValue, shownLow, shownHigh] = [value, low, high].map((x) => Number(x.toPrecision(3)));
  return `Column ${column} of this point is ${shownValue}, and the flow's samples are between ${shownLow} and ${shownHigh}: if the flow has splines, increase their option bound beyond this value, or give the flow a base with heavier tails, such as StudentT. If it is a separate mode, fit with annealing.`;
}

function rangeOf(samples: Float64Array, column: number, features: number): [number, number] {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = column; i < samples.length; i += features) {
    low = Math.min(low, samples[i]);
    high = Math.max(high, samples[i]);
  }
  return [low, high];
}
