import { concatRows, selectRows } from "../dataset/index.ts";
import { Flow } from "../flows/index.ts";
import { quantile } from "../numerics/index.ts";
import { numberSeed, type Random, RandomStream } from "../random/index.ts";
import { type EngineOptions, inFloat64 } from "../runtime/index.ts";
import type { ImportanceResult, TargetDensity } from "../train/index.ts";
import type { InferOptions } from "./inferOptions.ts";
import { pointAt } from "./sampling/chainProgram.ts";
import { independenceChains, independenceTransition } from "./sampling/independence.ts";
import { compileDensity, pulledBack } from "./sampling/latentDensity.ts";
import type { NutsSettings } from "./sampling/nutsChain.ts";
import { sampleNuts } from "./sampling/sampleNuts.ts";

/** Draws of Markov chains, and how the chains went. */
export interface Refinement {
  /** [chains * draws, D], one chain after the other, in unconstrained coordinates. */
  readonly rows: Float64Array;
  /** Number of transitions that were kept. */
  readonly iterations: number;
  /** How many trajectories diverged. */
  readonly divergences: number;
  /** The last point before a trajectory diverged, for the trajectory that `centralPoint` chooses. */
  readonly divergedAt: Float64Array | undefined;
  /** How many trajectories reached the largest depth. */
  readonly saturated: number;
  /** Evaluations of the density and its gradient, including those of the warm-up. */
  readonly evaluations: number;
}

/**
 * Chains of the No-U-Turn sampler in the latent space of a flow, where the density is close to the base distribution, from `starts` in
 * data space. Each transition is followed by a proposal from the flow, which reaches all modes that the flow covers. Both transitions leave
 * the target density invariant for every flow, so a poor fit makes the chains slower but not wrong.
 */
export async function refineByNuts(
  flow: Flow,
  logDensity: TargetDensity,
  starts: readonly Float64Array[],
  settings: NutsSettings & Pick<InferOptions, "onProgress" | "signal">,
  random: Random,
  engine: EngineOptions,
): Promise<Refinement> {
  const { features } = flow;
  const chains = starts.length;
  const run = inFloat64(engine);
  const latentStarts = await flow.toLatent(concatRows(starts), undefined, run);
  const iterations = settings.warmUp + settings.draws;
  await using base = new Flow(flow.base);
  const proposals = await base.sample(chains * iterations, {
    ...run,
    seed: numberSeed(random.split("proposals")),
  });
  const { signal } = settings;
  await using density = compileDensity(pulledBack(flow, logDensity), features, { ...engine, signal }, (z) =>
    flow.base.logProb(z),
  );
  const evaluated = await density.evaluate(proposals);
  let done = 0;
  const runs = await sampleNuts(
    density.evaluate,
    Array.from({ length: chains }, (_, c) => latentStarts.slice(c * features, (c + 1) * features)),
    settings,
    random.split("chains"),
    (c) => {
      let next = c * iterations;
      return (point, stream) => {
        settings.onProgress?.({ stage: "chains", fraction: ++done / (chains * iterations) });
        return independenceTransition(point, pointAt(proposals, evaluated, next++, features), stream);
      };
    },
  );
  const total = (count: (run: (typeof runs)[number]) => number) =>
    runs.reduce((sum, each) => sum + count(each), 0);
  const diverged = runs.flatMap(({ divergences }) => divergences);
  const toData = (latent: readonly Float64Array[]) => flow.toData(concatRows(latent), undefined, run);
  return {
    rows: await toData(runs.map(({ positions }) => positions)),
    iterations: chains * settings.draws,
    divergences: diverged.length,
    divergedAt: diverged.length > 0 ? await toData([centralPoint(diverged)]) : undefined,
    saturated: total(({ saturated }) => saturated),
    evaluations: total(({ evaluations }) => evaluations) + chains * iterations,
  };
}

/** Chains of independence proposals: the samples of the flow, accepted or not by their importance weights. */
export function refineByIndependence(
  { samples, logWeights }: ImportanceResult,
  features: number,
  chains: number,
  random: Random,
): Refinement {
  const visited = independenceChains(logWeights, chains, new RandomStream(random)).flatMap((chain) => [
    ...chain,
  ]);
  return {
    rows: selectRows(samples, visited, features),
    iterations: visited.length,
    divergences: 0,
    divergedAt: undefined,
    saturated: 0,
    evaluations: 0,
  };
}

/**
 * The point that is nearest to the coordinate-wise median of all points: an example of where most trajectories diverged, because a few
 * points elsewhere hardly change the median.
 */
export function centralPoint(points: readonly Float64Array[]): Float64Array {
  const median = points[0].map((_, i) =>
    quantile(Float64Array.from(points, (point) => point[i]).sort(), 0.5),
  );
  const distances = points.map((point) => Math.hypot(...point.map((value, i) => value - median[i])));
  return points[distances.indexOf(Math.min(...distances))];
}
