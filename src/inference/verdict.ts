import { hasLargeWeights, type ImportanceResult } from "../train/index.ts";
import type { Disagreement } from "./agreement.ts";
import type { Evidence } from "./bridgeSampling.ts";
import type { Refinement } from "./refine.ts";
import type { ParameterSummary } from "./summary.ts";

/** Which results of `infer` to trust. `reasons` has a sentence for each problem. */
export type Verdict =
  /** No check found a problem: all numbers are reliable. */
  | "reliable"
  /**
   * Trajectories diverged, so the draws of the chains and of the flow may lack the extreme part of a tail. The weights confirm the rest of
   * the mass: means and the quantiles 0.05 to 0.95 are reliable, standard deviations up to some percent, and `logEvidence` up to about 0.01.
   */
  | "check tails"
  /** The chains converged, but the weights of the flow are uneven: `draws` and `logEvidence` are reliable, `weighted` is not. */
  | "use refined draws"
  /** The flow has almost no density on a part of the mass. `reasons` says which results include this part. */
  | "missed mass"
  /** The chains disagree with one another or with the weights, or are too short, or without chains the weights are uneven. */
  | "unreliable";

/** The largest R-hat and the smallest effective sample size of chains that converged (Vehtari et al. 2021). */
const MAX_R_HAT = 1.01;
const MIN_EFFECTIVE_SAMPLE_SIZE = 400;
/** If a larger share of trajectories reaches the largest depth, this is given as the reason why chains are slow. */
const MAX_SATURATED_SHARE = 0.01;
/** A larger share of diverging trajectories is not chance: single ones occur in good fits. */
const MAX_DIVERGENT_SHARE = 0.001;
/** If a larger share of Z lies in the tail beyond the largest weight, the weights are uneven. */
const MAX_TAIL_SHARE = 0.01;
/** Two estimates of the evidence that differ by more standard errors disagree. */
const MAX_EVIDENCE_DIFFERENCE = 4;

/** The results from which the verdict follows. */
export interface VerdictInputs {
  readonly weighted: ImportanceResult;
  /** The share of Z in the tail of the weights beyond the largest one. */
  readonly tailShare: number;
  /** The share of the mass that the flow misses; 0 if none was found. */
  readonly missed: number;
  readonly kind: "nuts" | "independence" | "none";
  /** The chains, if there are any. */
  readonly refinement: Refinement | undefined;
  /** A point at which a trajectory diverged, as text. */
  readonly divergedAt: string | undefined;
  readonly summary: readonly ParameterSummary[];
  /** A difference between chains and weighted draws, with the name of the parameter. */
  readonly disagreement: (Disagreement & { readonly name: string }) | undefined;
  /** log Z from the weights, and by bridge sampling with No-U-Turn chains, if there are any. */
  readonly evidence: { readonly weighted: Evidence; readonly bridge: Evidence } | undefined;
}

/**
 * Says which results of `infer` to trust, with a sentence for each reason. The verdict is the first of these that applies:
 *
 * 1. `unreliable`: R-hat above 1.01 or an effective sample size below 400 of a parameter; or, although neither 3 nor 4 applies, shares of
 *    chains and weights below a quantile, or two estimates of the evidence, that differ by more than their errors explain; or more than 0.1%
 *    of the trajectories diverged although 3 or 4 applies, so that nothing confirms the rest of the mass;
 * 2. `check tails`: more than 0.1% of the trajectories diverged;
 * 3. `missed mass`: the flow has almost no density on at least 1% of the draws of the chains, or on 0.5% of the mass by the short chains of
 *    `importance`;
 * 4. `use refined draws`, or `unreliable` without No-U-Turn chains: Pareto k-hat above 0.7 with an effective sample size of the weights
 *    below 90%, or one of n weights above 1% and above 20 / n, or more than 1% of Z in the tail beyond the largest weight;
 * 5. `reliable`.
 */
export function verdictOf(inputs: VerdictInputs): { verdict: Verdict; reasons: string[] } {
  const { missed, kind, refinement, summary } = inputs;
  const convergence = refinement ? convergenceProblems(refinement, summary) : [];
  const missedMass = missed > 0 ? [missedMassReason(missed, kind)] : [];
  const unevenWeights = weightProblems(inputs);
  const areWeightsGood = missedMass.length === 0 && unevenWeights.length === 0;
  const disagreements = areWeightsGood ? disagreementReasons(inputs) : [];
  const divergences = divergenceReasons(inputs, areWeightsGood);
  const reasons = [...convergence, ...divergences, ...missedMass, ...unevenWeights, ...disagreements];
  const areChainsBad = convergence.length > 0 || disagreements.length > 0;
  if (areChainsBad || (divergences.length > 0 && !areWeightsGood)) return { verdict: "unreliable", reasons };
  if (divergences.length > 0) return { verdict: "check tails", reasons };
  if (missedMass.length > 0) return { verdict: "missed mass", reasons };
  if (unevenWeights.length > 0)
    return { verdict: kind === "nuts" ? "use refined draws" : "unreliable", reasons };
  return { verdict: "reliable", reasons };
}

function convergenceProblems(
  { saturated, iterations }: Refinement,
  summary: readonly ParameterSummary[],
): string[] {
  const known = summary.filter(({ rHat }) => !Number.isNaN(rHat));
  const reasons: string[] = [];
  const worst = known.reduce((a, b) => (b.rHat > a.rHat ? b : a), known[0]);
  if (worst && worst.rHat > MAX_R_HAT)
    reasons.push(
      `The chains disagree: R-hat of ${worst.name} is ${aboveBound(worst.rHat, MAX_R_HAT)}, and should be at most ${MAX_R_HAT}. Draw more, or if chains stay in different modes, fit the flow with more layers or annealing.`,
    );
  // The size of the tail is unknown (NaN) if its quantile is the largest or the smallest draw.
  const smallest = (s: ParameterSummary) =>
    Math.min(...[s.bulkEffectiveSampleSize, s.tailEffectiveSampleSize].filter((size) => !Number.isNaN(size)));
  const fewest = known.reduce((a, b) => (smallest(b) < smallest(a) ? b : a), known[0]);
  if (fewest && smallest(fewest) < MIN_EFFECTIVE_SAMPLE_SIZE)
    reasons.push(
      `The chains are too short: the effective sample size of ${fewest.name} is ${Math.floor(smallest(fewest))}, and should be at least ${MIN_EFFECTIVE_SAMPLE_SIZE}. Draw more.`,
    );
  // Trajectories that end too early make chains slow, but not wrong.
  if (reasons.length > 0 && saturated > MAX_SATURATED_SHARE * iterations)
    reasons.push(
      `${saturated} of ${iterations} trajectories reached the largest depth: the chains move slowly. Fit longer, or raise maxDepth.`,
    );
  return reasons;
}

/** A number with three decimals, or as many as show that it is above a bound. */
function aboveBound(value: number, bound: number): string {
  let digits = 3;
  while (digits < 16 && !(Number(value.toFixed(digits)) > bound)) digits++;
  return value.toFixed(digits);
}

function missedMassReason(missed: number, kind: VerdictInputs["kind"]): string {
  const included =
    kind === "nuts"
      ? "`draws` and `logEvidence` include this mass, `weighted` and `elbo` do not."
      : "No result includes this mass.";
  return `The flow has almost no density on about ${(100 * missed).toPrecision(2)}% of the mass, or more. ${included} Fit it for longer, or give it more layers or a base with heavier tails.`;
}

function weightProblems({ weighted, tailShare }: VerdictInputs): string[] {
  if (!hasLargeWeights(weighted) && !(tailShare > MAX_TAIL_SHARE)) return [];
  return [
    `A few weights are far larger than the others (paretoShape ${weighted.paretoShape.toFixed(2)}), so means of \`weighted\` are unreliable. Fit the flow for longer, or give it more layers.`,
  ];
}

function disagreementReasons({ disagreement, evidence }: VerdictInputs): string[] {
  const reasons: string[] = [];
  if (disagreement) {
    const { name, chains, weighted } = disagreement;
    const percent = (share: number) => `${(100 * share).toFixed(1)}%`;
    reasons.push(
      `Chains and weighted draws disagree: ${percent(chains)} of the chains' draws and ${percent(weighted)} of the weights are below the same value of ${name}, so one of them misses a part of the mass. Draw more, or fit the flow with more layers or annealing.`,
    );
  }
  if (evidence) {
    const { weighted, bridge } = evidence;
    const difference = Math.abs(weighted.logEvidence - bridge.logEvidence);
    if (difference > MAX_EVIDENCE_DIFFERENCE * Math.hypot(weighted.standardError, bridge.standardError))
      reasons.push(
        `Two estimates of the log-evidence disagree: ${bridge.logEvidence.toFixed(3)} with the chains and ${weighted.logEvidence.toFixed(3)} from the weights, which is more than their errors explain. Draw more, or fit the flow for longer.`,
      );
  }
  return reasons;
}

function divergenceReasons(
  { refinement, divergedAt, weighted }: VerdictInputs,
  areWeightsGood: boolean,
): string[] {
  if (!refinement) return [];
  const { divergences, iterations } = refinement;
  if (!(divergences > MAX_DIVERGENT_SHARE * iterations)) return [];
  const sentences = [
    `${divergences} of ${iterations} trajectories diverged, for example at ${divergedAt}: the draws of the chains and of the flow may lack the mass beyond.`,
    ...(areWeightsGood
      ? [`The weights confirm the rest of the mass (paretoShape ${weighted.paretoShape.toFixed(2)}).`]
      : []),
    "Reparametrize the model, for example by real({ offset, multiplier }), raise targetAcceptance, or fit longer.",
  ];
  return [sentences.join(" ")];
}
