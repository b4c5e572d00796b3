import type { RandomStream } from "../../random/index.ts";
import { initialStepSize, massWindows, StepSizeAdaptation, VarianceEstimate } from "./adaptation.ts";
import type { ChainProgram, Point } from "./chainProgram.ts";
import { nutsTransition } from "./nuts.ts";

/** The settings of a chain. */
export interface NutsSettings {
  /** Iterations that adapt the step size and the mass matrix, and are not kept. */
  readonly warmUp: number;
  /** Iterations that are kept. */
  readonly draws: number;
  /** The target of the acceptance probability: a larger one gives smaller steps. */
  readonly targetAcceptance: number;
  readonly maxDepth: number;
}

/** The kept iterations of a chain. */
export interface NutsResult {
  /** [draws, D] */
  readonly positions: Float64Array;
  /** The last position of each trajectory that diverged. */
  readonly divergences: readonly Float64Array[];
  /** Iterations whose trajectory reached the largest depth. */
  readonly saturated: number;
  /** Evaluations of the density and its gradient: at the start, and in all leapfrog steps. */
  readonly evaluations: number;
  /** The position after the last iteration. */
  readonly end: Point;
}

/**
 * A chain of the No-U-Turn sampler from `start`, with a warm-up that adapts the step size and a diagonal mass matrix.
 *
 * Each transition is followed by `extraTransition`, which must leave the density invariant too, such as an independence proposal.
 */
export function* nutsChain(
  start: Float64Array,
  { warmUp, draws, targetAcceptance, maxDepth }: NutsSettings,
  random: RandomStream,
  extraTransition?: (point: Point, random: RandomStream) => Point,
): ChainProgram<NutsResult> {
  const features = start.length;
  let point: Point = yield start;
  let variances: Float64Array = new Float64Array(features).fill(1);
  const initial = yield* initialStepSize(point, variances, 1, random);
  const adaptation = new StepSizeAdaptation(initial.stepSize, targetAcceptance);
  const windows = massWindows(warmUp);
  let estimate = new VarianceEstimate(features);
  const positions = new Float64Array(draws * features);
  const divergences: Float64Array[] = [];
  let [saturated, evaluations] = [0, 1 + initial.steps];
  for (let iteration = 0; iteration < warmUp + draws; iteration++) {
    const adapting = iteration < warmUp;
    const stepSize = adapting ? adaptation.stepSize : adaptation.averageStepSize;
    const transition = yield* nutsTransition(point, { stepSize, variances, maxDepth }, random);
    point = transition.point;
    evaluations += transition.steps;
    if (extraTransition) point = extraTransition(point, random);
    if (adapting) {
      adaptation.update(transition.acceptance);
      if (iteration >= windows.start) estimate.add(point.position);
      if (windows.ends.has(iteration)) {
        variances = estimate.variances();
        estimate = new VarianceEstimate(features);
        const restart = yield* initialStepSize(point, variances, adaptation.stepSize, random);
        adaptation.restart(restart.stepSize);
        evaluations += restart.steps;
      }
    } else {
      positions.set(point.position, (iteration - warmUp) * features);
      if (transition.divergence) divergences.push(transition.divergence);
      if (transition.steps >= 2 ** maxDepth - 1) saturated++;
    }
  }
  return { positions, divergences, saturated, evaluations, end: point };
}
