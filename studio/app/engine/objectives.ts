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
import { sourceRows, trainingOptions } from "./flow.ts";
import type { Provider } from "./messages.ts";

interface Callbacks {
  /** Called after the first step, when the graphs are compiled, with the validation log-density of the initial flow. */
  onStart(validationLogDensity: number): void;
  onEpoch(epoch: FitEpoch): Promise<void>;
}

type Train = (
  flow: Flow,
  setting: Setting,
  provider: Provider,
  signal: AbortSignal,
  callbacks: Callbacks,
) => Promise<FitResult["stopped"]>;

/** The reverse divergence has no held-out points that could end its training. This many steps take longer than a reader waits. */
const MAX_STEPS = 100_000;

/** Calls `act` for the first step only, with the best value before it. */
const onFirstStep = (act: (best: number) => void) => {
  let done = false;
  return ({ best }: { readonly best: number }) => {
    if (!done) act(best);
    done = true;
  };
};

/** How a flow is trained for each objective. Exported programs do the same: see `programOf`. */
export const objectives: Readonly<Record<Objective, Train>> = {
  async likelihood(flow, setting, provider, signal, { onStart, onEpoch }) {
    const rows = sourceRows(setting.source, setting.seed);
    const options = {
      ...trainingOptions(setting, provider),
      signal,
      onProgress: onFirstStep(onStart),
      onEpoch,
    };
    return (await fit(flow, rows, options)).stopped;
  },

  /** Minimizes a Monte Carlo estimate of KL(q || p) from samples of the flow q. */
  async reverse(flow, setting, provider, signal, { onStart, onEpoch }) {
    const rows = sourceRows(setting.source, setting.seed);
    const { centers, deviation } = targetOf(rows);
    const target = new GaussianMixture({ features: 2, components: centers.length / 2 }, new Random(0));
    target.means.take(Float64Array.from(centers));
    target.logDiagonal.take(new Float64Array(centers.length).fill(-Math.log(deviation)));
    await initialize(flow, dataset(rows, { features: 2 }));
    const loss: Loss = (batch) => {
      const noise = flow.base.noise.map(({ kind, size }) => batch[kind](size));
      const { samples, logProb } = flow.sampleAndLogProb(noise);
      return logProb.sub(target.logProb(samples));
    };
    const { stopped } = await minimize(loss, flow, undefined, {
      ...trainingOptions(setting, provider),
      steps: MAX_STEPS,
      frozen: target,
      signal,
      onProgress: onFirstStep((loss) => onStart(-loss)),
      onEpoch: ({ epoch, trainLoss, learningRate }) =>
        onEpoch({ epoch, learningRate, trainLogDensity: -trainLoss, validationLogDensity: -trainLoss }),
    });
    return stopped;
  },
};
