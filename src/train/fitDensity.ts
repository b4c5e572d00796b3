import { PushforwardError } from "../errors.ts";
import type { Flow } from "../flows/flow.ts";
import { substitute } from "../graph/passes/optimize.ts";
import { input, scalar, type Tensor } from "../graph/tensor.ts";
import type { Draws } from "../graph/tracing/drawn.ts";
import type { Loss } from "./batchLoss.ts";
import {
  annealingAt,
  densitySettings,
  type FitDensityOptions,
  type FitDensityRecord,
} from "./densityOptions.ts";
import { findNonFiniteDraw, type NonFiniteDraw } from "./diagnose.ts";
import { type ImportanceResult, importance } from "./importance.ts";
import type { Explanation } from "./objective.ts";
import { deadlineOf } from "./options.ts";
import { runTraining } from "./runTraining.ts";
import { shownRow } from "./shownRow.ts";
import { checkedDensity, type TargetDensity } from "./targetDensity.ts";

export interface FitDensityResult extends ImportanceResult {
  /** A line for every 100 steps. */
  readonly history: readonly FitDensityRecord[];
  readonly stopped: "steps" | "time" | "signal";
}

/**
 * Fits a flow q to a density p of which log p~ = log p + constant can be computed, [N, D] -> [N]: minimizes
 *
 *     KL(q || p) = E_q[log q(x) - log p~(x)] + log Z
 *
 * by stochastic gradients through rows that the flow draws (Rezende and Mohamed 2015). Parameters that the density reads stay
 * as they are, unless they are the flow's. What it gives, ELBO and log Z among them, comes from a fresh sample of the
 * fitted flow. This divergence does not punish a flow for leaving out a part of p: read `warnings`.
 *
 * If the loss becomes NaN or infinite or explodes, fitting goes back to its last good weights with half the step; after three
 * times it throws a NUMERIC error that says whether a layer of the flow or the density is at fault. Throws `SHAPE` if the
 * density gives no number for each row, and `ARGUMENT` for a flow with a standardization that needs float64.
 */
export async function fitDensity(
  flow: Flow,
  logDensity: TargetDensity,
  options: FitDensityOptions = {},
): Promise<FitDensityResult> {
  const settings = densitySettings(options);
  const checked = checkedDensity(logDensity, flow.features);
  const fine = flow.columnForFloat64();
  if (fine) {
    throw new PushforwardError(
      "ARGUMENT",
      "float32, in which a flow is fitted, is too coarse for its standardization",
      {
        expected: "a deviation of more than 1/8000 of the center",
        received: `center ${fine.center}, deviation ${fine.deviation} in column ${fine.column}`,
        hint: "Write the density of (x - center) / deviation, and fit a flow without this standardization to it.",
      },
    );
  }
  const { annealing, steps, stickTheLanding, samples, detectMissedMass, seed, ...own } = settings;
  const { providers, threads, onProgress, ...controls } = options;
  const { epochs, stopped } = await runTraining(
    {
      parameters: flow.parameters(),
      rows: undefined,
      settings: { ...own, steps, seed, validationFraction: 0 },
      description: undefined,
      problem: () => ({
        name: "fitting to a density",
        loss: reverseDivergence(flow, checked, { annealing, stickTheLanding }),
        perRow: true,
        explain: async (_, { draws }) =>
          explanationOf(await findNonFiniteDraw(flow, checked, noiseOf(flow, draws!, settings.batchSize))),
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
  const history = epochs.map(({ step, metrics, stepSize }) => ({
    step,
    elbo: metrics!.elbo!,
    annealing: annealingAt(annealing, step - 1),
    stepSize,
  }));
  const sample = await importance(flow, checked, samples, { seed, detectMissedMass, providers, threads });
  return { ...sample, history, stopped: stopped === "epochs" ? "steps" : (stopped as "time" | "signal") };
}

/**
 * The loss of a batch of rows x = f(noise) that the flow draws: log q(x) - beta log p~(x), whose mean is KL(q || p) up to a
 * constant where beta is 1; and the evidence lower bound.
 */
function reverseDivergence(
  flow: Flow,
  logDensity: TargetDensity,
  { annealing, stickTheLanding }: Pick<ReturnType<typeof densitySettings>, "annealing" | "stickTheLanding">,
): Loss {
  return (batch) => {
    const { samples, logProb } = flow.sampleAndLogProb(
      flow.base.noise.map(({ kind, size }) => batch[kind](size)),
    );
    const logQ = stickTheLanding ? fixedLogDensity(flow, samples) : logProb;
    const logP = logDensity(samples);
    const beta = annealing && scalar(1).minimum(batch.step.div(annealing.steps).add(annealing.start));
    return { loss: logQ.sub(beta ? logP.mul(beta) : logP), elbo: logP.sub(logQ) };
  };
}

/** log q(x) in which x depends on the parameters but the density does not: "sticking the landing" (Roeder et al. 2017). */
function fixedLogDensity(flow: Flow, x: Tensor): Tensor {
  const rows = input("x", ["N", flow.features]);
  const parameters = [...flow.parameters().values()];
  const [fixed] = substitute(
    [flow.logProb(rows)],
    new Map<Tensor, Tensor>([[rows, x], ...parameters.map((p): [Tensor, Tensor] => [p, p.stopGradient()])]),
  );
  return fixed!;
}

/** The noise that the rows of a step were drawn from: what the loss draws first. */
const noiseOf = (flow: Flow, { random }: Draws, rows: number): Float32Array[] =>
  flow.base.noise.map(({ kind, size }, i) => {
    const noise = new Float32Array(rows * size);
    random.split(i)[kind](noise);
    return noise;
  });

function explanationOf(source: NonFiniteDraw | undefined): Explanation {
  const hint = "Lower the learning rate.";
  if (!source) return { where: "the gradient", hint };
  const { layer, row, x } = source;
  if (layer !== "logDensity" && layer !== "logDensityGradient") {
    return { where: `${layer} of the flow, row ${row}`, hint };
  }
  const what = layer === "logDensity" ? "the log-density" : "the gradient of the log-density";
  return {
    where: `${what} that was given, x = ${shownRow(x)}`,
    hint: "It must be finite wherever the flow can reach: bound what goes into a logarithm or a root, or let the flow end in a bijection onto the support.",
  };
}
