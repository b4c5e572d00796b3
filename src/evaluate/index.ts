export { bitsPerDimension } from "./bitsPerDimension.ts";
export { ContextCheck, summarizeContext } from "./contextCheck.ts";
export { type EvaluateOptions, type EvaluateResult, evaluate } from "./evaluate.ts";
export { type Baseline, type GaussianBaselineOptions, gaussianBaseline } from "./gaussianBaseline.ts";
export { independentBaseline } from "./independentBaseline.ts";
export { type LogDensitiesOptions, logDensities } from "./logDensities.ts";
export { lowDensityThreshold, ModelScorer } from "./modelScorer.ts";
export { type MeanEstimate, RunningMean } from "./runningMean.ts";
