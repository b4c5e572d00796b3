import type { z } from "zod";
import { PushforwardError } from "../errors.ts";
import type { Flow } from "../flows/flow.ts";
import {
  annealingAt,
  type DensityRecord,
  densitySettings,
  type densitySettingsSchema,
  type FitDensityOptions,
} from "./densityOptions.ts";
import { Descent, MOST_RECOVERIES } from "./descent.ts";
import { findNonFiniteDraw } from "./diagnose.ts";
import { type Importance, importance } from "./importance.ts";
import { ReverseDivergence } from "./reverseDivergence.ts";
import { stepScale } from "./schedule.ts";
import { sharesOf } from "./sharedLoss.ts";
import { shownRow } from "./shownRow.ts";
import { checkedDensity, type TargetDensity } from "./targetDensity.ts";

export interface DensityFit extends Importance {
  /** A line for every 100 steps. */
  readonly history: readonly DensityRecord[];
  readonly stopped: "steps" | "time" | "signal";
}

/** Steps of a line of the record, and steps that are undone together. */
const STRETCH = 100;

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
): Promise<DensityFit> {
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
        mend: "Write the density of (x - center) / deviation, and fit a flow without this standardization to it.",
      },
    );
  }
  const fitting = new Fitting(flow, checked, settings, options);
  try {
    await fitting.run();
  } finally {
    await fitting.release();
  }
  const { providers, threads } = options;
  const sample = await importance(flow, checked, settings.samples, {
    seed: settings.seed,
    detectMissedMass: settings.detectMissedMass,
    providers,
    threads,
  });
  return { ...sample, history: fitting.history, stopped: fitting.stopped };
}

class Fitting {
  readonly history: DensityRecord[] = [];
  stopped: DensityFit["stopped"] = "steps";
  private readonly flow: Flow;
  private readonly logDensity: TargetDensity;
  private readonly settings: z.output<typeof densitySettingsSchema>;
  private readonly options: FitDensityOptions;
  private readonly descent: Descent;
  private divergence: ReverseDivergence | undefined;

  constructor(
    flow: Flow,
    logDensity: TargetDensity,
    settings: z.output<typeof densitySettingsSchema>,
    options: FitDensityOptions,
  ) {
    this.flow = flow;
    this.logDensity = logDensity;
    this.settings = settings;
    this.options = options;
    this.descent = new Descent(flow.parameters(), settings, sharesOf(settings.batchSize, options));
  }

  async run(): Promise<void> {
    const { settings, descent, options } = this;
    this.divergence = await ReverseDivergence.of(this.flow, this.logDensity, descent, settings, options);
    const deadline = performance.now() + (options.maxMinutes ?? Number.POSITIVE_INFINITY) * 60_000;
    for (let step = 0; step < settings.steps; ) {
      const next = await this.stretch(this.divergence, step, deadline);
      if (next === undefined) break;
      step = next;
    }
    descent.flat.assign(descent.candidate());
  }

  async release(): Promise<void> {
    this.descent.flat.detach();
    await this.divergence?.release();
  }

  /** Steps from `first` on; gives the step to go on from, or nothing if fitting must end inside. */
  private async stretch(
    divergence: ReverseDivergence,
    first: number,
    deadline: number,
  ): Promise<number | undefined> {
    const { settings, descent, options } = this;
    const { steps } = settings;
    const end = Math.min(steps, first + STRETCH);
    descent.remember();
    let sum = 0;
    for (let step = first; step < end; step++) {
      const annealing = annealingAt(settings.annealing, step);
      const { loss, elbo } = await divergence.lossAndGradient(step, annealing);
      const length = descent.flat.gradientNorm;
      if (!Number.isFinite(loss) || !Number.isFinite(length) || this.exploded(elbo)) {
        const finite = Number.isFinite(loss) && !Number.isFinite(length);
        await this.recover(divergence, step, finite ? `a gradient of norm ${length}` : `a loss of ${loss}`);
        return first;
      }
      const stepSize = await descent.step(
        length,
        stepScale(settings.schedule, { step, totalSteps: steps, plateaus: 0 }),
      );
      sum += elbo;
      const done = step + 1;
      options.onProgress?.({ step: done, fraction: done / steps, elbo });
      if (options.signal?.aborted) this.stopped = "signal";
      else if (performance.now() > deadline) this.stopped = "time";
      const stop = this.stopped !== "steps";
      if (done === end || stop)
        this.history.push({ step: done, elbo: sum / (done - first), annealing, stepSize });
      if (stop) return undefined;
    }
    return end;
  }

  private exploded(elbo: number): boolean {
    const reference = this.history.at(-1)?.elbo;
    return reference !== undefined && elbo < reference - 1e3 * (1 + Math.abs(reference));
  }

  private async recover(divergence: ReverseDivergence, step: number, received: string): Promise<void> {
    const culprit = await findNonFiniteDraw(this.flow, this.logDensity, divergence.noise(step));
    const { where, mend } = accusation(culprit);
    if (!this.descent.goBack()) {
      throw new PushforwardError(
        "NUMERIC",
        `fitting to a density failed ${MOST_RECOVERIES + 1} times; last in step ${step + 1}, at ${where}`,
        { expected: "a finite loss and gradient", received, mend },
      );
    }
    this.options.onRecovery?.(
      `Step ${step + 1} gave ${received} (${where}): back to the weights after step ${step - (step % STRETCH)}, with half the step size.`,
    );
  }
}

function accusation(culprit: Awaited<ReturnType<typeof findNonFiniteDraw>>): { where: string; mend: string } {
  const mend = "Lower the learning rate.";
  if (!culprit) return { where: "the gradient", mend };
  const { layer, row, x } = culprit;
  if (layer === "logDensity" || layer === "logDensityGradient") {
    const what =
      layer === "logDensity"
        ? "the log-density that was given"
        : "the gradient of the log-density that was given";
    return {
      where: `${what}, x = ${shownRow(x)}`,
      mend: "It must be finite wherever the flow can reach: bound what goes into a logarithm or a root, or let the flow end in a bijection onto the support.",
    };
  }
  return { where: `${layer} of the flow, row ${row}`, mend };
}
