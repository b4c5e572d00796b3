export { bitsPerDimension } from "../../images/model/bitsPerDimension.ts";
export {
  type CalibrationOptions,
  type ConditionalCalibrationOptions,
  calibration,
  conditionalCalibration,
} from "./calibration.ts";
export type { ComparedDensity, NamedBaseline } from "./compareDensities.ts";
export { type CompareOptions, inferredColumns } from "./comparedRows.ts";
export {
  type Comparison,
  checkComparable,
  compareLogDensities,
  type DifferentAtoms,
} from "./compareLogDensities.ts";
export { ContextCheck, summarizeContext } from "./contextCheck.ts";
export { type Controlled, type ControlOptions, controlTables, withControls } from "./controls.ts";
export { type EvaluateOptions, type EvaluateResult, evaluate } from "./evaluate.ts";
export type { Finding } from "./findings.ts";
export { type Baseline, type GaussianBaselineOptions, gaussianBaseline } from "./gaussianBaseline.ts";
export { type IndependentBaselineOptions, independentBaseline } from "./independentBaseline.ts";
export { type LogDensitiesOptions, logDensities } from "./logDensities.ts";
export { lowDensityThreshold, ModelScorer, type ModelScorerOptions } from "./modelScorer.ts";
export {
  type PrecisionCoverageOptions,
  type PrecisionCoverageResult,
  precisionCoverage,
} from "./precisionCoverage.ts";
export { type ClosestRows, type PrivacyResult, privacy } from "./privacy.ts";
export type { CalibrationResult, ColumnCalibration } from "../../numerics/rankCalibration.ts";
export type { RareRow } from "./rareRows.ts";
export {
  type ReportNumbers,
  type ReportOptions,
  type ReportResult,
  type ReportRows,
  report,
} from "./report.ts";
export { type MeanEstimate, RunningMean } from "../../numerics/runningMean.ts";
export { type TableBaselinesOptions, tableBaselines } from "./tableBaselines.ts";
export { type PairTrend, type TrendOptions, type TrendResult, trend } from "./trend.ts";
export { type TwoSampleOptions, type TwoSampleResult, twoSample } from "./twoSample.ts";
export {
  type ScoreEstimate,
  type UsefulnessOptions,
  type UsefulnessResult,
  usefulness,
} from "./usefulness.ts";
