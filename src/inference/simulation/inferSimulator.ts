import { checkOptions, counted, integerFrom } from "../../check/index.ts";
import type { CalibrationResult } from "../../numerics/index.ts";
import { engineOptionsOf } from "../../runtime/index.ts";
import type { Draws } from "../draws.ts";
import { type ParameterSummary, summarize } from "../summary.ts";
import { simulationBasedCalibration } from "./calibration.ts";
import { type FitPosteriorOptions, fitPosterior, fitPosteriorRules } from "./fitPosterior.ts";
import { checkedObservation, checkObservation, type ObservationCheck } from "./observation.ts";
import type { SimulationPosterior } from "./posterior.ts";
import { largestDeviation, type PredictiveCheck, posteriorPredictive } from "./predictive.ts";
import type { Priors, Simulator } from "./simulator.ts";

/** Options of `inferSimulator`. */
export interface InferSimulatorOptions extends Omit<FitPosteriorOptions, "observed"> {
  /** Number of draws. Default 4,000. */
  draws?: number | undefined;
}

/** Whether to trust the result of `inferSimulator`; `reasons` says why. */
export type SimulationVerdict =
  /** No check found a problem. With several rounds, calibration is not among the checks. */
  | "reliable"
  /** The observation is unlike all simulations, or unlike those for draws from the posterior. */
  | "unusual observation"
  /** Intervals of the posterior contain the parameters of new simulations more or less often than they should. */
  | "not calibrated";

/** The posterior of a simulator given an observation. */
export interface InferSimulatorResult<P extends Priors> {
  /** Independent draws of each parameter, `[n, ...shape]`. */
  readonly draws: Draws<P>;
  /** Mean and quantiles of each number of the parameters. Independent draws have no R-hat. */
  readonly summary: readonly ParameterSummary[];
  readonly verdict: SimulationVerdict;
  /** A sentence for each reason of the verdict, with a hint; empty if it is `reliable`. */
  readonly reasons: readonly string[];
  /** Where the observation lies among the simulations. */
  readonly observation: ObservationCheck;
  /** The ranks of the values of the observation among data that were simulated for draws. */
  readonly predictiveRanks: Float64Array;
  /** Simulation-based calibration; undefined with several rounds, whose posterior is valid for the observation only. */
  readonly calibration: CalibrationResult | undefined;
  readonly posterior: SimulationPosterior<P>;
}

/** An observation is unusual if a smaller share of the simulations than this is at least as far from their mean. */
const MIN_SHARE = 0.001;
/** The probability that a predictive check finds a problem where there is none. */
const PREDICTIVE_SIGNIFICANCE = 0.01;

/**
 * Draws from the posterior of a simulator given an observation: `fitPosterior`, and then the checks of the observation
 * (`checkObservation`, `posteriorPredictive`) and of the posterior (`simulationBasedCalibration`), from which the verdict follows.
 *
 * @throws as `fitPosterior`.
 */
export async function inferSimulator<P extends Priors>(
  simulator: Simulator<P>,
  observed: ArrayLike<number>,
  options: InferSimulatorOptions = {},
): Promise<InferSimulatorResult<P>> {
  const { observed: _observed, ...rules } = fitPosteriorRules;
  checkOptions("inferSimulator", options, { ...rules, draws: integerFrom(2) });
  const { draws: count = 4000, ...fitOptions } = options;
  const { rounds = 1, seed = 0, signal } = fitOptions;
  const engine = engineOptionsOf(options);
  // A copy, because the caller may change its array while this runs. Without an observation it is empty, which `fitPosterior` rejects.
  const copy = Array.from(observed ?? []);
  const posterior = await fitPosterior(simulator, { ...fitOptions, observed: copy });
  const values = checkedObservation(copy, copy.length);
  const draws = await posterior.sample(values, count, { ...engine, seed });
  const observation = checkObservation(values, posterior.simulations);
  const predictive = await posteriorPredictive(posterior, values, { ...engine, seed, signal });
  const calibration =
    rounds === 1 ? await simulationBasedCalibration(posterior, { ...engine, seed, signal }) : undefined;
  const unusual = [...observationReasons(observation), ...predictiveReasons(values, predictive)];
  const uncalibrated = calibrationReasons(calibration);
  return {
    draws,
    summary: summarize(simulator.parameters, draws, 0),
    verdict:
      unusual.length > 0 ? "unusual observation" : uncalibrated.length > 0 ? "not calibrated" : "reliable",
    reasons: [...unusual, ...uncalibrated],
    observation,
    predictiveRanks: predictive.ranks,
    calibration,
    posterior,
  };
}

function observationReasons({ outside, share }: ObservationCheck): string[] {
  const [first] = outside;
  const hint = "The posterior is an extrapolation: check the data and the simulator, or widen the priors.";
  if (first !== undefined) {
    const more = outside.length - 1;
    const others = more > 0 ? `, and so ${more > 1 ? "are" : "is"} ${counted(more, "other value")}` : "";
    return [`Value ${first} of the observation is outside the range of all simulations${others}. ${hint}`];
  }
  if (share >= MIN_SHARE) return [];
  return [
    `Each value of the observation is in the range of the simulations, but their combination is unusual: only ${(100 * share).toPrecision(1)}% of the simulations are as far from their mean. ${hint}`,
  ];
}

function predictiveReasons(observed: Float64Array, { simulations, ranks }: PredictiveCheck): string[] {
  const { index: k, pValue } = largestDeviation(observed, simulations);
  if (pValue > PREDICTIVE_SIGNIFICANCE) return [];
  const [side, share] = ranks[k] < 0.5 ? ["below", 1 - ranks[k]] : ["above", ranks[k]];
  const most = share === 1 ? "all" : `${(100 * share).toFixed(1)}%`;
  return [
    `Value ${k} of the observation is ${side} ${most} of the values that are simulated for draws from the posterior. Either the simulator is misspecified, or the posterior is inexact. More simulations help only in the second case.`,
  ];
}

function calibrationReasons(calibration: CalibrationResult | undefined): string[] {
  const bad = calibration?.columns.filter(({ isOutside }) => isOutside) ?? [];
  if (bad.length === 0) return [];
  const [{ name, coverage }] = bad;
  const [, { level, share }] = coverage;
  const more = bad.length - 1;
  const others = more > 0 ? ` (nor are those of ${more} other ${more > 1 ? "quantities" : "quantity"})` : "";
  return [
    `The ranks of ${name} in new simulations are not uniform${others}: its ${100 * level}% intervals contain the true value in ${(100 * share).toFixed(0)}% of the simulations. Use more simulations.`,
  ];
}
