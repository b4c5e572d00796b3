/** `minimize`, `fit`, `fitDensity`; optimizers, checkpoints and importance sampling. */

export type { Loss, LossBatch } from "./batchLoss.ts";
export { OF_OTHER_TRAINING } from "./checkpoint.ts";
export type {
  AnnealingOptions,
  DensityObjective,
  FitDensityOptions,
  FitDensityProgress,
  FitDensityRecord,
} from "./densityOptions.ts";
export { type FitResult, fit } from "./fit.ts";
export { type FitDensityResult, fitDensity } from "./fitDensity.ts";
export { formatRow } from "./formatRow.ts";
export { type ImportanceOptions, type ImportanceResult, importance } from "./importance.ts";
export { hasLargeWeights } from "./importanceWarnings.ts";
export { initialize } from "./initialize.ts";
export { type MinimizeResult, minimize } from "./minimize.ts";
export { MIN_DENSITY_RATIO, resample } from "./missedMass.ts";
export type { OptimizerOptions } from "./optimizer.ts";
export { adam, adamW, ModelOptimizer, sgd } from "./optimizers.ts";
export { commonFitRules, settingsIn } from "./optionRules.ts";
export {
  type CheckpointStore,
  deadlineOf,
  definedOptions,
  type FitEpoch,
  type FitOptions,
  type FitProgress,
  type FitSettings,
  fitSettingsSchema,
  type MinimizeEpoch,
  type MinimizeOptions,
  type MinimizeProgress,
  remainingMinutes,
  trainingLengths,
} from "./options.ts";
export { paretoTailShare } from "./paretoShape.ts";
export type { TrainingRows } from "./problem.ts";
export { readTrainingRows, type TrainingData } from "./rowsForTraining.ts";
export { type ScheduleOptions, scheduleSchema } from "./schedule.ts";
export { stackDensities } from "./stacking.ts";
export type { TargetDensity } from "./targetDensity.ts";
export type { StopReason } from "./trainingLoop.ts";
