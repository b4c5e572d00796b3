export type { Loss, LossBatch } from "./batchLoss.ts";
export type {
  AnnealingOptions,
  FitDensityOptions,
  FitDensityProgress,
  FitDensityRecord,
} from "./densityOptions.ts";
export { type FitResult, fit } from "./fit.ts";
export { type FitDensityResult, fitDensity } from "./fitDensity.ts";
export { type FitTableOptions, type FitTableResult, fitTable } from "./fitTable.ts";
export { type ImportanceOptions, type ImportanceResult, importance } from "./importance.ts";
export { initialize } from "./initialize.ts";
export { type MinimizeResult, minimize } from "./minimize.ts";
export type { OptimizerOptions } from "./optimizer.ts";
export { adam, adamW, type ModelOptimizer, sgd } from "./optimizers.ts";
export type {
  CheckpointStore,
  FitEpoch,
  FitOptions,
  FitProgress,
  FitSettings,
  MinimizeEpoch,
  MinimizeOptions,
  MinimizeProgress,
} from "./options.ts";
export type { TrainingData } from "./rowsForTraining.ts";
export type { ScheduleOptions } from "./schedule.ts";
export type { TargetDensity } from "./targetDensity.ts";
