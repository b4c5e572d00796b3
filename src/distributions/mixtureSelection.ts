import type { DataRows } from "../bijections/bijection.ts";
import { type Limits, limitReached } from "../limits.ts";
import { Random } from "../random/index.ts";
import {
  clusters,
  type FitGaussianMixtureResult,
  judge,
  maximizeLikelihood,
} from "./expectationMaximization.ts";

/** Rows, and rounds of expectation maximization, that are enough to choose by. */
const ENOUGH = 5_000;
const ROUNDS = 30;
const RIDGES = [1e-3, 1e-6];
const SEEDS = [0, 1, 2];

/**
 * Chooses the number of components (1, 2, 4, ... up to `most`), the ridge and the start that give held-out rows the highest
 * mean log-density, one after the other. Without held-out rows one in six of the rows judges the choice. The chosen mixture
 * is then fitted to all rows from where it is. Where a limit is reached, the best mixture by then is the result.
 */
export async function chooseGaussianMixture(
  data: DataRows,
  most: number,
  heldOut?: DataRows,
  limits: Limits = {},
): Promise<FitGaussianMixtureResult> {
  const order = new Random(0).split("mixture selection").permutation(data.rows).subarray(0, ENOUGH);
  const held = heldOut ? 0 : Math.min(order.length - 1, Math.max(1, Math.floor(order.length / 6)));
  const judges = heldOut ?? select(data, order.subarray(0, held));
  const fitted = select(data, order.subarray(held));
  // The second ridge goes on from where the first one has ended.
  const candidates = async (
    components: number,
    ridges: readonly number[],
    seed: number,
  ): Promise<Candidate[]> => {
    const responsibilities = await clusters(fitted, components, seed, limits);
    const found: Candidate[] = [];
    for (const ridge of ridges) {
      const options = { ridge, iterations: ROUNDS, ...limits };
      const fit = await maximizeLikelihood(fitted, components, responsibilities, options);
      found.push({ fit, ridge, score: judge(fit, judges).meanLogDensity });
      if (await limitReached(limits)) break;
    }
    return found;
  };
  let best = highest(await candidates(1, RIDGES, SEEDS[0]));
  let misses = 0;
  for (let components = 2; components <= Math.min(most, fitted.rows) && misses < 2; components *= 2) {
    if (await limitReached(limits)) return best.fit;
    const found = highest([best, ...(await candidates(components, RIDGES, SEEDS[0]))]);
    misses = found === best ? misses + 1 : 0;
    best = found;
  }
  const { ridge } = best;
  const components = best.fit.weights.length;
  const finalists = [best];
  for (const seed of SEEDS.slice(1)) {
    if (await limitReached(limits)) break;
    finalists.push(...(await candidates(components, [ridge], seed)));
  }
  const { fit } = highest(finalists);
  if (await limitReached(limits)) return fit;
  return maximizeLikelihood(data, components, judge(fit, data).responsibilities, { ridge, ...limits });
}

const highest = (candidates: readonly Candidate[]): Candidate =>
  candidates.reduce((best, candidate) => (candidate.score > best.score ? candidate : best));

/** A mixture that the choice may fall on. */
interface Candidate {
  readonly fit: FitGaussianMixtureResult;
  readonly ridge: number;
  readonly score: number;
}

function select({ features, values, weights }: DataRows, chosen: Int32Array): DataRows {
  const out = new Float64Array(chosen.length * features);
  chosen.forEach((row, i) => {
    out.set(values.subarray(row * features, (row + 1) * features), i * features);
  });
  return {
    rows: chosen.length,
    features,
    values: out,
    ...(weights && { weights: Float64Array.from(chosen, (row) => weights[row]) }),
  };
}
