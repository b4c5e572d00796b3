import type { DataRows } from "../bijections/index.ts";
import { type Limits, limitReached } from "../check/index.ts";
import { Random } from "../random/index.ts";
import {
  evaluateMixture,
  expectationMaximization,
  type FitGaussianMixtureResult,
  kMeansResponsibilities,
} from "./expectationMaximization.ts";
import { selectDataRows, shuffledRows } from "./selectDataRows.ts";

/** Candidates are compared on a random subset of at most this many rows, to save time. */
const MAX_ROWS = 5_000;
/** EM iterations of a candidate. Only the selected mixture is iterated further. */
const ITERATIONS = 30;
/** The candidates of the ridge, from strong to weak regularization, and of the seed of the initialization. */
const RIDGES = [1e-3, 1e-6];
const SEEDS = [0, 1, 2];

/**
 * Fits a Gaussian mixture with the highest mean log-density of held-out rows: first it selects the number of components (1, 2, 4, ... up to
 * `maxComponents`) together with the ridge, and then the initialization. Without `heldOut`, a sixth of the rows is held out. The selected
 * mixture is then fitted to all rows by further EM iterations. If a limit is reached, the best mixture so far is the result.
 */
export async function chooseGaussianMixture(
  data: DataRows,
  maxComponents: number,
  heldOut?: DataRows,
  limits: Limits = {},
): Promise<FitGaussianMixtureResult> {
  const order = shuffledRows(data, new Random(0).split("mixture selection")).subarray(0, MAX_ROWS);
  const heldOutCount = heldOut ? 0 : Math.min(order.length - 1, Math.max(1, Math.floor(order.length / 6)));
  const validationRows = heldOut ?? selectDataRows(data, order.subarray(0, heldOutCount));
  const trainingRows = selectDataRows(data, order.subarray(heldOutCount));
  // EM overwrites the responsibilities, so the fit with the second ridge continues from the mixture of the first.
  const fitCandidates = async (
    components: number,
    ridges: readonly number[],
    seed: number,
  ): Promise<Candidate[]> => {
    const responsibilities = await kMeansResponsibilities(trainingRows, components, seed, limits);
    const candidates: Candidate[] = [];
    for (const ridge of ridges) {
      const options = { ridge, iterations: ITERATIONS, ...limits };
      const fit = await expectationMaximization(trainingRows, components, responsibilities, options);
      candidates.push({ fit, ridge, score: evaluateMixture(fit, validationRows).meanLogDensity });
      if (await limitReached(limits)) break;
    }
    return candidates;
  };
  let best = bestOf(await fitCandidates(1, RIDGES, SEEDS[0]));
  // The number of components is doubled until two consecutive numbers do not improve the score.
  let failures = 0;
  for (
    let components = 2;
    components <= Math.min(maxComponents, trainingRows.rows) && failures < 2;
    components *= 2
  ) {
    if (await limitReached(limits)) return best.fit;
    const previous = best;
    best = bestOf([previous, ...(await fitCandidates(components, RIDGES, SEEDS[0]))]);
    failures = best === previous ? failures + 1 : 0;
  }
  const { ridge } = best;
  const components = best.fit.weights.length;
  const finalists = [best];
  for (const seed of SEEDS.slice(1)) {
    if (await limitReached(limits)) break;
    finalists.push(...(await fitCandidates(components, [ridge], seed)));
  }
  const { fit } = bestOf(finalists);
  if (await limitReached(limits)) return fit;
  const { responsibilities } = evaluateMixture(fit, data);
  return expectationMaximization(data, components, responsibilities, { ridge, ...limits });
}

const bestOf = (candidates: readonly Candidate[]): Candidate =>
  candidates.reduce((best, candidate) => (candidate.score > best.score ? candidate : best));

interface Candidate {
  readonly fit: FitGaussianMixtureResult;
  readonly ridge: number;
  /** Mean log-density of the held-out rows in nats. */
  readonly score: number;
}
