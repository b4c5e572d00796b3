/** Held-out log-densities, simpler densities, and tests of generated rows. */

export {
  type CalibrationOptions,
  type ConditionalCalibrationOptions,
  calibration,
  conditionalCalibration,
} from "./calibration.ts";
export {
  atomsOfFlow,
  type ComparedDensity,
  compareDensities,
  type NamedBaseline,
} from "./compareDensities.ts";
export {
  type ComparedRows,
  type CompareOptions,
  comparedRows,
  inferredColumns,
  labelCounts,
} from "./comparedRows.ts";
export {
  type Comparison,
  checkComparable,
  compareLogDensities,
  type DifferentAtoms,
} from "./compareLogDensities.ts";
export { ContextCheck, summarizeContext } from "./contextCheck.ts";
export { type Controlled, type ControlOptions, controlTables, withControls } from "./controls.ts";
export { type EvaluateOptions, type EvaluateResult, evaluate } from "./evaluate.ts";
export { expectedText, shortNumber, valueText } from "./expectedText.ts";
export type { Finding } from "./findings.ts";
export { type Baseline, type GaussianBaselineOptions, gaussianBaseline } from "./gaussianBaseline.ts";
export { type IndependentBaselineOptions, independentBaseline } from "./independentBaseline.ts";
export {
  inBothPrecisions,
  type LogDensitiesOptions,
  logDensities,
  tableLogDensities,
} from "./logDensities.ts";
export { lowDensityThreshold, ModelScorer, type ModelScorerOptions } from "./modelScorer.ts";
export {
  type PrecisionCoverageOptions,
  type PrecisionCoverageResult,
  precisionCoverage,
} from "./precisionCoverage.ts";
export { type ClosestRows, type PrivacyResult, privacy } from "./privacy.ts";
export type { RareRow } from "./rareRows.ts";
export {
  MIN_REPORT_ROWS,
  type ReportNumbers,
  type ReportOptions,
  type ReportResult,
  type ReportRows,
  report,
} from "./report.ts";
export {
  GAUSSIAN,
  INDEPENDENT,
  simpleBaselines,
  type TableBaselinesOptions,
  tableBaselines,
} from "./tableBaselines.ts";
export { type PairTrend, type TrendOptions, type TrendResult, trend } from "./trend.ts";
export { type TwoSampleOptions, type TwoSampleResult, twoSample } from "./twoSample.ts";
export {
  type ScoreEstimate,
  type UsefulnessOptions,
  type UsefulnessResult,
  usefulness,
} from "./usefulness.ts";
