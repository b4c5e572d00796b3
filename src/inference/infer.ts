import { brief, PushforwardError } from "../check/index.ts";
import { selectRows } from "../dataset/index.ts";
import { Flow } from "../flows/index.ts";
import { Random } from "../random/index.ts";
import { engineOptionsOf, inFloat64 } from "../runtime/index.ts";
import { type ImportanceResult, importance, paretoTailShare, resample } from "../train/index.ts";
import { type Disagreement, findDisagreement } from "./agreement.ts";
import { bridgeSampling, type Evidence } from "./bridgeSampling.ts";
import { checkDraws } from "./checkDraws.ts";
import { normalFlow } from "./defaultFlow.ts";
import { describeNonFinite, describePoint } from "./describePoint.ts";
import { constrainedDraws, type Draws } from "./draws.ts";
import { checkFeatures, fitFlow } from "./fitFlow.ts";
import { type InferOptions, inferSettings } from "./inferOptions.ts";
import { missedShare } from "./missedShare.ts";
import { coordinateNames, type Declarations, type ProbabilisticModel } from "./model.ts";
import { runPilot } from "./pilot.ts";
import { type Refinement, refineByIndependence, refineByNuts } from "./refine.ts";
import { compileDensity } from "./sampling/latentDensity.ts";
import { type ParameterSummary, summarize } from "./summary.ts";
import { type Verdict, verdictOf } from "./verdict.ts";

/** The posterior of a model. */
export interface InferResult<D extends Declarations> {
  /** Draws of each parameter, [n, ...shape]: those of the chains, one chain after the other. */
  readonly draws: Draws<D>;
  /** Mean, quantiles, R-hat and effective sample sizes of each number of the parameters. */
  readonly summary: readonly ParameterSummary[];
  /** Which of these results to trust. */
  readonly verdict: Verdict;
  /** A sentence for each reason of the verdict, with a hint; empty if it is `reliable`. */
  readonly reasons: readonly string[];
  /** Independent draws of the flow, and their log-weights, normalized so that the weights sum to 1. */
  readonly weighted: {
    readonly draws: Draws<D>;
    readonly logWeights: Float64Array;
    /** log Z in nats from the weights. */
    readonly logEvidence: number;
    /** Standard error of this `logEvidence`, computed as that of the result. */
    readonly logEvidenceError: number;
  };
  /** Evidence lower bound of the flow in nats. */
  readonly elbo: number;
  /** Standard error of `elbo`. */
  readonly elboError: number;
  /** log Z in nats, where Z is the integral of the model's density: by bridge sampling if No-U-Turn chains ran, otherwise from the weights. */
  readonly logEvidence: number;
  /**
   * sqrt(s² + t²), where s is the standard error of the estimate, to first order, and t the share of Z in the tail of the weights beyond the
   * largest one, extrapolated by a Pareto distribution. It does not include modes that no draw reached.
   */
  readonly logEvidenceError: number;
  /** Effective sample size of the weighted draws. */
  readonly effectiveSampleSize: number;
  /** Pareto shape of the weights: means of the weighted draws are reliable below 0.7. */
  readonly paretoShape: number;
  /** Number of trajectories that diverged. */
  readonly divergences: number;
  /** Evaluations of the density with its gradient by Markov chains. The fit has steps times batchSize more. */
  readonly evaluations: number;
  /** The fitted flow, over the unconstrained coordinates of the model. */
  readonly flow: Flow;
}

/**
 * Draws from the posterior of a model:
 *
 * 1. short pilot chains find the mean and the covariance of its mass;
 * 2. `fitDensity` fits a flow that starts with this mean and covariance; with `restarts`, the best of several flows is kept;
 * 3. draws of the flow are weighted by `importance`;
 * 4. Markov chains in the latent space of the flow correct what the flow gets wrong (Hoffman et al. 2019, "NeuTra-lizing bad geometry
 *    in Hamiltonian Monte Carlo using neural transport").
 *
 * @throws NUMERIC when the density is not finite at random starts or where its mass is, when the pilot chains show that it has no finite
 *   integral, or when a step of the fit fails as in `fitDensity`; ARGUMENT when an option is not valid or the flow has another number of
 *   features; INTERRUPTED when `signal` is aborted.
 */
export async function infer<D extends Declarations>(
  model: ProbabilisticModel<D>,
  options: InferOptions = {},
): Promise<InferResult<D>> {
  if (typeof model?.logDensity !== "function" || typeof model.constrain !== "function") {
    throw new PushforwardError("ARGUMENT", "the first argument of infer is not a model", {
      expected: "a result of model, such as model({ mu: real() }, ({ mu }) => ...)",
      received: brief(model),
    });
  }
  const settings = inferSettings(options);
  const { samples, refinement: kind, chains, seed } = settings;
  const engine = engineOptionsOf(settings);
  if (settings.flow instanceof Flow) checkFeatures(settings.flow, model.features);
  const random = new Random(seed);
  const { onProgress, signal } = settings;
  onProgress?.({ stage: "pilot", fraction: 0 });
  await using density = compileDensity(model.logDensity, model.features, { ...engine, signal });
  const pilot = await runPilot(density.evaluate, model.features, chains, random.split("pilot"), {
    point: (position) => describePoint(model, position, engine),
    nonFinite: (position) => describeNonFinite(model, position, engine),
  });
  if (!settings.flow) await checkDraws(model, density.evaluate, pilot.map, random.split("check"), engine);
  const flow = await fitFlow(model.logDensity, model.features, pilot.map, settings, engine);
  const weighted = await importance(flow, model.logDensity, samples, { ...inFloat64(engine), seed });
  const logRatiosOf = async (rows: Float64Array) => {
    const { logDensity } = await density.evaluate(rows);
    const logProb = await flow.logProb(rows, undefined, inFloat64(engine));
    return logDensity.map((value, i) => value - logProb[i]);
  };
  let missed = missedShare(weighted, await logRatiosOf(pilot.rows));
  let refinement: Refinement | undefined;
  if (kind === "nuts") {
    // A region where the flow has almost no density is so far from the origin of its latent space that chains in this space would not reach
    // it. They then run in the space of the normal distribution of the pilot chains.
    const space = missed > 0 ? normalFlow(pilot.map) : flow;
    try {
      const chainRandom = random.split("refine");
      refinement = await refineByNuts(space, model.logDensity, pilot.ends, settings, chainRandom, engine);
    } finally {
      if (space !== flow) await space.release();
    }
  } else if (kind === "independence") {
    refinement = refineByIndependence(weighted, model.features, chains, random.split("refine"));
  }
  const rows = refinement?.rows ?? resampledRows(weighted, model.features, random.split("resample"));
  const draws = await constrainedDraws(model, rows, engine);
  const summary = summarize(model.parameters, draws, refinement ? chains : 0);
  const tailShare = paretoTailShare(weighted.logWeights, weighted.paretoShape);
  const ofWeights: Evidence = {
    logEvidence: weighted.logNormalizer,
    standardError: Math.hypot(weighted.logNormalizerError, tailShare),
  };
  let bridge: Evidence | undefined;
  let disagreement: Disagreement | undefined;
  if (kind === "nuts") {
    const logRatios = await logRatiosOf(rows);
    // These draws give a better estimate than the short pilot chains, which may not visit each mode in proportion to its mass.
    missed = missedShare(weighted, logRatios) || missed;
    const { logEvidence, standardError } = evidenceByBridge(logRatios, weighted, summary);
    // Chains in the latent space of the flow may not reach the tail of the weights either.
    bridge = { logEvidence, standardError: Math.hypot(standardError, tailShare) };
    disagreement = findDisagreement(rows, chains, weighted);
  }
  const divergedAt = refinement?.divergedAt && (await describePoint(model, refinement.divergedAt, engine));
  const { logEvidence, standardError: logEvidenceError } = bridge ?? ofWeights;
  return {
    draws,
    summary,
    ...verdictOf({
      ...{ weighted, tailShare, missed, kind, refinement, divergedAt, summary },
      disagreement: disagreement && {
        ...disagreement,
        name: coordinateNames(model.parameters)[disagreement.coordinate],
      },
      evidence: bridge && { weighted: ofWeights, bridge },
    }),
    weighted: {
      draws: await constrainedDraws(model, weighted.samples, engine),
      logWeights: weighted.logWeights,
      logEvidence: ofWeights.logEvidence,
      logEvidenceError: ofWeights.standardError,
    },
    elbo: weighted.elbo,
    elboError: weighted.standardError,
    logEvidence,
    logEvidenceError,
    effectiveSampleSize: weighted.effectiveSampleSize,
    paretoShape: weighted.paretoShape,
    divergences: refinement?.divergences ?? 0,
    evaluations: pilot.evaluations + (refinement?.evaluations ?? 0),
    flow,
  };
}

/** The evidence from draws of chains and of the flow. The draws of the chains count as the smallest effective sample size of a parameter. */
function evidenceByBridge(
  logRatios: Float64Array,
  { logWeights, logNormalizer }: ImportanceResult,
  summary: readonly ParameterSummary[],
): Evidence {
  const logScale = logNormalizer + Math.log(logWeights.length);
  const effective = summary
    .map(({ bulkEffectiveSampleSize }) => bulkEffectiveSampleSize)
    .filter(Number.isFinite)
    .reduce((a, b) => Math.min(a, b), logRatios.length);
  return bridgeSampling(
    logRatios,
    logWeights.map((logWeight) => logWeight + logScale),
    effective,
  );
}

/** Samples of a flow, resampled in proportion to their weights. */
function resampledRows(
  { samples, logWeights }: ImportanceResult,
  features: number,
  random: Random,
): Float64Array {
  const [uniform] = random.uniform(new Float64Array(1));
  return selectRows(samples, resample(logWeights, logWeights.length, uniform), features);
}
