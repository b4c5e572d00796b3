import { weightedMean } from "../../numerics/index.ts";
import type { Floats } from "../../runtime/index.ts";

/**
 * The mean of the log-probabilities [N] of rows that are possible under the model. Expectation maximization leaves the others out, so that
 * `fit` finds them afterwards and names them in its error. NaN if all rows are impossible.
 */
export function meanOfPossible(logProb: Floats, weights: Float64Array | undefined): number {
  const isPossible = (_: number, n: number) => logProb[n] !== Number.NEGATIVE_INFINITY;
  return weightedMean(logProb.filter(isPossible), weights?.filter(isPossible));
}
