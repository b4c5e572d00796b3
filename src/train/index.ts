export type { Loss, LossBatch } from "./batchLoss.ts";
export type {
  AnnealingOptions,
  DensityProgress,
  DensityRecord,
  FitDensityOptions,
} from "./densityOptions.ts";
export { type FitResult, fit } from "./fit.ts";
export { type DensityFit, fitDensity } from "./fitDensity.ts";
export { type FitTableOptions, type FittedTable, fitTable } from "./fitTable.ts";
export { type Importance, type ImportanceOptions, importance } from "./importance.ts";
export { initialize } from "./initialize.ts";
export { type MinimizeResult, minimize } from "./minimize.ts";
export type { OptimizerOptions } from "./optimizer.ts";
export { adam, adamW, type ModelOptimizer, sgd } from "./optimizers.ts";
export type {
  CheckpointStore,
  Epoch,
  FitOptions,
  FitSettings,
  LossEpoch,
  LossProgress,
  MinimizeOptions,
  Progress,
} from "./options.ts";
export type { TrainingData } from "./rowsForTraining.ts";
export type { ScheduleOptions } from "./schedule.ts";
export type { TargetDensity } from "./targetDensity.ts";
