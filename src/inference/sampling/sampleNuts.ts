import type { Random } from "../../random/index.ts";
import { RandomStream } from "../../random/randomStream.ts";
import { type EvaluateRows, type Point, runChains } from "./chainProgram.ts";
import { type NutsResult, type NutsSettings, nutsChain } from "./nutsChain.ts";

/** For each chain, a transition that follows each transition of the No-U-Turn sampler. */
export type MoreTransitions = (chain: number) => (point: Point, random: RandomStream) => Point;

/** Runs a chain of the No-U-Turn sampler from each start. */
export const sampleNuts = (
  evaluate: EvaluateRows,
  starts: readonly Float64Array[],
  settings: NutsSettings,
  random: Random,
  more?: MoreTransitions,
): Promise<NutsResult[]> =>
  runChains(
    starts.map((start, c) => nutsChain(start, settings, new RandomStream(random.split(c)), more?.(c))),
    starts[0].length,
    evaluate,
  );
