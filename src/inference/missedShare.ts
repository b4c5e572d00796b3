import { type ImportanceResult, MIN_DENSITY_RATIO } from "../train/index.ts";

/** A smaller share is not reported: it changes means by less than the usual Monte Carlo error. */
const MIN_REPORTED_SHARE = 0.01;

/**
 * The share of the mass of a density p where the flow q has almost no density. It is the larger of two estimates: that of the chains of
 * `importance`, and the share of other chains' draws with a large log p~(x) - log q(x) (`logRatios`). 0 if neither is significant.
 */
export function missedShare(
  { missedMass, isMissedMassSignificant, logNormalizer }: ImportanceResult,
  logRatios: Float64Array,
): number {
  const bound = logNormalizer + Math.log(MIN_DENSITY_RATIO);
  const share = logRatios.filter((logRatio) => logRatio > bound).length / logRatios.length;
  return Math.max(share >= MIN_REPORTED_SHARE ? share : 0, isMissedMassSignificant ? missedMass : 0);
}
