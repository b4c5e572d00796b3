/** Numeric algorithms on arrays: linear algebra, quantiles, means, ranks. */

export { lowerBound, upperBound } from "./binarySearch.ts";
export { LOG_BOUND, MIN_SLOPE, MIN_SQUARED_NORM } from "./bounds.ts";
export { choleskyFactor } from "./choleskyFactor.ts";
export { greatestCommonDivisor } from "./greatestCommonDivisor.ts";
export { inverseMatrix } from "./inverseMatrix.ts";
export { inverseSoftClamp } from "./inverseSoftClamp.ts";
export { logMeanExp } from "./logMeanExp.ts";
export { logSumExp } from "./logSumExp.ts";
export { mean } from "./mean.ts";
export { midranks } from "./midranks.ts";
export { nearestRank } from "./nearestRank.ts";
export { quantile } from "./quantile.ts";
export {
  type CalibrationResult,
  type ColumnCalibration,
  type ColumnRanks,
  rankCalibration,
  ranksAmongDraws,
} from "./rankCalibration.ts";
export { estimate, type MeanEstimate, RunningMean } from "./runningMean.ts";
export { variance } from "./variance.ts";
export { weightedMean } from "./weightedMean.ts";
