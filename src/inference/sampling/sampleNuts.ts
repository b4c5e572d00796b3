import { type Random, RandomStream } from "../../random/index.ts";
import { type EvaluateRows, type Point, runChains } from "./chainProgram.ts";
import { type NutsResult, type NutsSettings, nutsChain } from "./nutsChain.ts";

/** Returns, for the index of a chain, a transition that follows each of its transitions of the No-U-Turn sampler. */
type ExtraTransitions = (chain: number) => (point: Point, random: RandomStream) => Point;

/** Runs a chain of the No-U-Turn sampler from each start. */
export const sampleNuts = (
  evaluate: EvaluateRows,
  starts: readonly Float64Array[],
  settings: NutsSettings,
  random: Random,
  extraTransitions?: ExtraTransitions,
): Promise<NutsResult[]> =>
  runChains(
    starts.map((start, c) =>
      nutsChain(start, settings, new RandomStream(random.split(c)), extraTransitions?.(c)),
    ),
    starts[0].length,
    evaluate,
  );
