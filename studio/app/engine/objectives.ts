import {
  dataset,
  type FitEpoch,
  type FitResult,
  type Flow,
  fit,
  GaussianMixture,
  type Loss,
  minimize,
  Random,
} from "pushforward";
import { initialize } from "pushforward/train";
import type { Objective, Setting } from "../setting.ts";
import { targetOf } from "../target.ts";
import { rowsOf, trainingOptions } from "./flow.ts";

interface Callbacks {
  /** Called after the first step; the graphs are compiled then. */
  onStart(): void;
  onEpoch(epoch: FitEpoch): Promise<void>;
}

type Train = (
  flow: Flow,
  setting: Setting,
  signal: AbortSignal,
  callbacks: Callbacks,
) => Promise<FitResult["stopped"]>;

/** The reverse divergence has no held-out points that could end its training. This many steps take longer than a reader waits. */
const MAX_STEPS = 100_000;

const once = (act: () => void) => {
  let done = false;
  return () => {
    if (!done) act();
    done = true;
  };
};

/** How a flow is trained for each objective. Exported programs do the same: see `programOf`. */
export const objectives: Readonly<Record<Objective, Train>> = {
  async likelihood(flow, setting, signal, { onStart, onEpoch }) {
    const rows = rowsOf(setting.source, setting.seed);
    const options = { ...trainingOptions(setting), signal, onProgress: once(onStart), onEpoch };
    return (await fit(flow, rows, options)).stopped;
  },

  /** Minimizes a Monte Carlo estimate of KL(q || p) from samples of the flow q. */
  async reverse(flow, setting, signal, { onStart, onEpoch }) {
    const rows = rowsOf(setting.source, setting.seed);
    const { centers, deviation } = targetOf(rows);
    const target = new GaussianMixture({ features: 2, components: centers }, new Random(0));
    target.means.take(rows.slice(0, 2 * centers));
    target.logDiagonal.take(new Float64Array(2 * centers).fill(-Math.log(deviation)));
    await initialize(flow, dataset(rows, { features: 2 }));
    const loss: Loss = (batch) => {
      const noise = flow.base.noise.map(({ kind, size }) => batch[kind](size));
      const { samples, logProb } = flow.sampleAndLogProb(noise);
      return logProb.sub(target.logProb(samples));
    };
    const { stopped } = await minimize(loss, flow, undefined, {
      ...trainingOptions(setting),
      steps: MAX_STEPS,
      frozen: target,
      signal,
      onProgress: once(onStart),
      onEpoch: ({ epoch, trainLoss, stepSize }) =>
        onEpoch({ epoch, stepSize, trainLogDensity: -trainLoss, validationLogDensity: -trainLoss }),
    });
    return stopped;
  },
};
