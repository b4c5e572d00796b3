import { PushforwardError } from "../check/index.ts";
import type { Flow } from "../flows/index.ts";
import type { EngineOptions } from "../runtime/index.ts";
import { definedOptions, fitDensity, type TargetDensity } from "../train/index.ts";
import type { AffineMap } from "./affineMap.ts";
import { defaultFlow } from "./defaultFlow.ts";
import type { inferSettings } from "./inferOptions.ts";
import { anySignal, throwIfAborted } from "./interruption.ts";

/** Number of samples from which the bounds of several fits are compared. */
const COMPARISON_SAMPLES = 4000;

type Settings = Pick<
  ReturnType<typeof inferSettings>,
  "flow" | "restarts" | "fit" | "seed" | "onProgress" | "signal"
>;

/**
 * Fits a flow to a density of `features` coordinates. With `restarts`, it fits several from different seeds and returns the one with the
 * largest evidence lower bound, that is, with the smallest KL(q || p).
 *
 * @throws ARGUMENT when the flow has another number of features; INTERRUPTED when `signal` is aborted; the errors of `fitDensity`.
 */
export async function fitFlow(
  logDensity: TargetDensity,
  features: number,
  map: AffineMap,
  { flow: chosen, restarts, fit, seed: firstSeed, onProgress, signal }: Settings,
  engine: EngineOptions,
): Promise<Flow> {
  const fitSignal = anySignal(signal, fit?.signal);
  let best: { flow: Flow; elbo: number } | undefined;
  for (let restart = 0; restart < restarts; restart++) {
    const seed = firstSeed + restart;
    const flow = typeof chosen === "function" ? chosen(seed) : (chosen ?? defaultFlow(map, seed));
    checkFeatures(flow, features);
    const { elbo } = await fitDensity(flow, logDensity, {
      steps: 2000,
      optimizer: { learningRate: 2e-3 },
      ...(!fit?.objective && { stickTheLanding: true }),
      ...definedOptions(fit),
      ...engine,
      onProgress(step) {
        const { fraction, elbo } = step;
        onProgress?.({ stage: "fit", fraction: (restart + fraction) / restarts, elbo });
        fit?.onProgress?.(step);
      },
      signal: fitSignal,
      seed,
      samples: restarts > 1 ? COMPARISON_SAMPLES : 2,
      detectMissedMass: false,
    });
    await throwIfAborted(signal);
    if (best && !(elbo > best.elbo)) await flow.release();
    else {
      await best?.flow.release();
      best = { flow, elbo };
    }
  }
  return best!.flow;
}

/** Throws `ARGUMENT` unless a flow has one feature for each unconstrained coordinate. */
export function checkFeatures(flow: Flow, features: number): void {
  if (flow.features === features) return;
  throw new PushforwardError("ARGUMENT", "the flow has a different number of features from the model", {
    expected: `${features} features, one for each unconstrained coordinate`,
    received: `${flow.features}`,
  });
}
