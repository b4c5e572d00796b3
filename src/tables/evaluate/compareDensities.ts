import type { InMemoryDataset } from "../../dataset/index.ts";
import type { Atoms } from "../../distributions/index.ts";
import type { Flow } from "../../flows/index.ts";
import { estimate, type MeanEstimate } from "../../numerics/index.ts";
import type { Baseline } from "./gaussianBaseline.ts";

/** A baseline with its name in a report. */
export interface NamedBaseline extends Baseline {
  readonly name: string;
}

/** The mean of log q(x) of held-out rows under a simpler density q, and the gain of the model p, the mean of log p(x) - log q(x), in nats. */
export interface ComparedDensity {
  readonly name: string;
  readonly logDensity: MeanEstimate;
  readonly gain: MeanEstimate;
}

/** Compares the log-densities of held-out rows under a model with those under baselines. */
export async function compareDensities(
  logDensities: Float64Array,
  heldOut: InMemoryDataset,
  baselines: readonly NamedBaseline[],
): Promise<ComparedDensity[]> {
  const compared: ComparedDensity[] = [];
  for (const baseline of baselines) {
    const others = await baseline.logDensities(heldOut);
    compared.push({
      name: baseline.name,
      logDensity: estimate(others, heldOut),
      gain: estimate(
        logDensities.map((score, n) => logDensityDifference(score, others[n])),
        heldOut,
      ),
    });
  }
  return compared;
}

/** The difference of two log-densities of a row: 0 if the row is impossible under both densities (-Infinity). */
export const logDensityDifference = (first: number, second: number): number =>
  first === second ? 0 : first - second;

/** The values of each feature that have probabilities under a flow. All other values have densities. */
export const atomsOfFlow = ({ atoms, features }: Flow): readonly Atoms[] =>
  atoms ?? new Array<Atoms>(features).fill([]);
