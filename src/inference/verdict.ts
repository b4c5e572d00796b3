import type { ImportanceResult } from "../train/importance.ts";
import type { Refinement } from "./refine.ts";
import type { ParameterSummary } from "./summary.ts";

/** In a word, which results of `infer` to trust; `reasons` has the sentences. */
export type Verdict =
  /** The chains converged, and the weights of the flow are even: all numbers are reliable. */
  | "reliable"
  /** The chains converged, but the weights of the flow are uneven: `draws` and `logEvidence` are reliable, `weighted` is not. */
  | "use refined draws"
  /** The flow has almost no density on a part of the mass. See `reasons` for what includes this part. */
  | "missed mass"
  /** The chains disagree or are too short, or without chains the weights are uneven: no number is reliable. */
  | "unreliable";

/** The largest R-hat and the smallest effective sample size of chains that converged (Vehtari et al. 2021). */
const MAX_R_HAT = 1.01;
const MIN_EFFECTIVE_SAMPLE_SIZE = 400;
/** If a larger share of trajectories diverges, regions that they should enter may be left out. */
const MAX_DIVERGENT_SHARE = 0.01;
/** Which results of `infer` to trust, with a sentence for each reason. `missed` is the share of the mass that the flow misses. */
export function verdictOf(
  { warnings, paretoShape }: ImportanceResult,
  missed: number,
  kind: "nuts" | "independence" | "none",
  refinement: Refinement | undefined,
  summary: readonly ParameterSummary[],
): { verdict: Verdict; reasons: string[] } {
  const chainReasons = refinement ? chainProblems(refinement, summary) : [];
  const reasons = [...chainReasons];
  if (missed > 0) {
    const included =
      kind === "nuts"
        ? "`draws` and `logEvidence` include this mass, `weighted` and `elbo` do not."
        : "No result includes this mass.";
    reasons.push(
      `The flow has almost no density on about ${(100 * missed).toPrecision(2)}% of the mass, or more. ${included} Fit it for longer, or give it more layers or a base with heavier tails.`,
    );
  }
  // The warnings are those of missed mass and of large weights.
  const hasLargeWeights = warnings.some((warning) => warning.startsWith("A few weights"));
  if (hasLargeWeights) {
    reasons.push(
      `A few weights are far larger than the others (paretoShape ${paretoShape.toFixed(2)}), so means of \`weighted\` are unreliable. Fit the flow for longer, or give it more layers.`,
    );
  }
  if (chainReasons.length > 0) return { verdict: "unreliable", reasons };
  if (missed > 0) return { verdict: "missed mass", reasons };
  if (hasLargeWeights) return { verdict: kind === "nuts" ? "use refined draws" : "unreliable", reasons };
  return { verdict: "reliable", reasons };
}

function chainProblems(
  { divergences, saturated, iterations }: Refinement,
  summary: readonly ParameterSummary[],
): string[] {
  const known = summary.filter(({ rHat }) => !Number.isNaN(rHat));
  const reasons: string[] = [];
  const worst = known.reduce((a, b) => (b.rHat > a.rHat ? b : a), known[0]);
  if (worst && worst.rHat > MAX_R_HAT)
    reasons.push(
      `The chains disagree: R-hat of ${worst.name} is ${worst.rHat.toFixed(3)}, and should be below ${MAX_R_HAT}. Draw more, or if chains stay in different modes, fit the flow with more layers or annealing.`,
    );
  const smallest = (s: ParameterSummary) => Math.min(s.bulkEffectiveSampleSize, s.tailEffectiveSampleSize);
  const fewest = known.reduce((a, b) => (smallest(b) < smallest(a) ? b : a), known[0]);
  if (fewest && smallest(fewest) < MIN_EFFECTIVE_SAMPLE_SIZE)
    reasons.push(
      `The chains are too short: the effective sample size of ${fewest.name} is ${smallest(fewest).toFixed(0)}, and should be at least ${MIN_EFFECTIVE_SAMPLE_SIZE}. Draw more.`,
    );
  if (divergences > MAX_DIVERGENT_SHARE * iterations)
    reasons.push(
      `${divergences} of ${iterations} trajectories diverged: the step size is too large for a part of the density, which the chains may leave out. Raise targetAcceptance, fit longer, or reparametrize the model.`,
    );
  if (saturated > MAX_DIVERGENT_SHARE * iterations)
    reasons.push(
      `${saturated} of ${iterations} trajectories reached the largest depth: the chains move slowly. Fit longer, or raise maxDepth.`,
    );
  return reasons;
}
