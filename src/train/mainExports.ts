/** What both `pushforward` and `pushforward/train` export. */
export type { Communicator } from "./communicator.ts";
export type { Loss, LossBatch } from "./batchLoss.ts";
export type { DensityObjective, FitDensityOptions } from "./densityOptions.ts";
export { type FitResult, fit } from "./fit.ts";
export { type FitDensityResult, fitDensity } from "./fitDensity.ts";
export { type FitFlowsOptions, type FitFlowsResult, fitFlows } from "../tables/fit/fitFlows.ts";
export type { Member } from "../tables/fit/fitMembers.ts";
export { type FitTableOptions, type FitTableResult, fitTable } from "../tables/fit/fitTable.ts";
export { type ImportanceResult, importance } from "./importance.ts";
export type { NamedRecipe } from "../tables/fit/memberCandidates.ts";
export { type MinimizeResult, minimize } from "./minimize.ts";
export { adam, adamW, type ModelOptimizer, sgd } from "./optimizers.ts";
export type { CheckpointStore, FitEpoch, FitOptions, MinimizeEpoch, MinimizeOptions } from "./options.ts";
export type { TrainingData } from "./rowsForTraining.ts";
export type { TargetDensity } from "./targetDensity.ts";
