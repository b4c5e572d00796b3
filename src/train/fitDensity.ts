import { PushforwardError } from "../check/index.ts";
import { checkFlow, type Flow } from "../flows/index.ts";
import type { RandomSource } from "../graph/index.ts";
import { boundHasConverged } from "./boundConvergence.ts";
import { requireExactDensity, requireSampleGradients } from "./checkProposal.ts";
import { densityLoss, samplesPerRow } from "./densityObjectives.ts";
import {
  annealingAt,
  densitySettings,
  type FitDensityOptions,
  type FitDensityRecord,
} from "./densityOptions.ts";
import { formatRow } from "./formatRow.ts";
import { type ImportanceResult, importance } from "./importance.ts";
import { findNonFiniteDraw, type NonFiniteDraw } from "./nonFinite.ts";
import { deadlineOf } from "./options.ts";
import type { Explanation } from "./problem.ts";
import { EXPECTED_DEVIATION } from "./rounding.ts";
import { runTraining } from "./runTraining.ts";
import { checkedDensity, type TargetDensity } from "./targetDensity.ts";

/** The result of `fitDensity`. */
export interface FitDensityResult extends ImportanceResult {
  /** One record for every 100 steps. */
  readonly history: readonly FitDensityRecord[];
  /**
   * Whether the bound stopped rising: its mean over the last fifth of the steps is at most 0.01 nats, or two standard errors, above its
   * mean over the fifth before. Undefined for fewer than 1,500 steps.
   */
  readonly converged: boolean | undefined;
  readonly stopped: "steps" | "time" | "signal";
}

/**
 * Fits a flow q to a density p whose unnormalized logarithm log p~ = log p + constant is given, [N, D] -> [N]. By default it minimizes
 *
 *     KL(q || p) = E_q[log q(x) - log p~(x)] + log Z
 *
 * by stochastic gradients through samples of the flow (Rezende and Mohamed 2015). Only parameters of the flow are trained, and
 * not parameters that only the density reads. The result, with ELBO and log Z, is computed from a new sample of the fitted flow.
 * This divergence does not penalize a flow that leaves out a part of p: read `warnings`.
 *
 * If the loss becomes NaN, infinite or explodes, training returns to the weights after the last multiple of 100 steps and halves the
 * learning rate.
 *
 * @throws SHAPE when the density does not return a number for each row; ARGUMENT when an option is not valid, or the flow has discrete or
 *   constant features, only a bound of its log-density, or a standardization that needs float64; NUMERIC when the loss fails four times,
 *   with the layer of the flow or the density that is not finite.
 */
export async function fitDensity(
  flow: Flow,
  logDensity: TargetDensity,
  options: FitDensityOptions = {},
): Promise<FitDensityResult> {
  checkFlow("fitDensity", flow);
  requireExactDensity(flow);
  requireSampleGradients(flow);
  const settings = densitySettings(options);
  const checkedLogDensity = checkedDensity(logDensity, flow.features);
  const float64Column = flow.columnForFloat64();
  if (float64Column) {
    throw new PushforwardError(
      "ARGUMENT",
      "training computes in float32, which is too coarse for the standardization of this flow",
      {
        expected: EXPECTED_DEVIATION,
        received: `center ${float64Column.center}, standard deviation ${float64Column.deviation} in column ${float64Column.column}`,
        hint: "Write the density of (x - center) / deviation, and fit a flow without this standardization to that density.",
      },
    );
  }
  const { annealing, steps, objective, stickTheLanding, samples, detectMissedMass, seed, ...otherSettings } =
    settings;
  const { providers, threads, onProgress, ...controls } = options;
  const { epochs, stopped } = await runTraining(
    {
      parameters: flow.parameters(),
      rows: undefined,
      settings: { ...otherSettings, steps, seed, validationFraction: 0 },
      description: undefined,
      problem: () => ({
        name: "fitting to a density",
        loss: densityLoss(flow, checkedLogDensity, { objective, annealing, stickTheLanding }),
        ...(objective?.type !== "forwardKL" && { returnsLossPerRow: true }),
        explain: async (_, { randomSource }) =>
          explanationOf(
            await findNonFiniteDraw(
              flow,
              checkedLogDensity,
              noiseOf(flow, randomSource!, settings.batchSize * samplesPerRow(objective)),
            ),
          ),
      }),
    },
    {
      ...controls,
      providers,
      threads,
      deadline: deadlineOf(options.maxMinutes),
      ...(onProgress && {
        onProgress: ({ step, metrics }) => onProgress({ step, fraction: step / steps, elbo: metrics.elbo! }),
      }),
    },
  );
  const history = epochs.map(({ step, metrics, learningRate }) => ({
    step,
    elbo: metrics!.elbo!,
    annealing: annealingAt(annealing, step - 1),
    learningRate,
  }));
  const sample = await importance(flow, checkedLogDensity, samples, {
    seed,
    detectMissedMass,
    providers,
    threads,
  });
  const converged = boundHasConverged(history);
  return {
    ...sample,
    history,
    converged,
    stopped: stopped === "epochs" ? "steps" : (stopped as "time" | "signal"),
  };
}

/** The noise from which a step drew its samples: the same random streams as the first draws of `densityLoss`. */
const noiseOf = (flow: Flow, { random }: RandomSource, rows: number): Float32Array[] =>
  flow.base.noise.map(({ kind, size }, i) => {
    const noise = new Float32Array(rows * size);
    random.split(i)[kind](noise);
    return noise;
  });

function explanationOf(source: NonFiniteDraw | undefined): Explanation {
  const hint = "Lower the learning rate.";
  if (!source) return { hint };
  const { layer, row, x } = source;
  if (layer !== "logDensity" && layer !== "logDensityGradient") {
    return { where: `${layer} of the flow, row ${row}`, hint };
  }
  const what = layer === "logDensity" ? "the log-density" : "the gradient of the log-density";
  return {
    where: `${what}, x = ${formatRow(x)}`,
    hint: "The log-density must be finite for every sample of the flow: bound the arguments of logarithms and roots, or end the flow in a bijection onto the support.",
  };
}
