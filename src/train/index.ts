export type { AnnealingOptions, FitDensityProgress, FitDensityRecord } from "./densityOptions.ts";
export type { ImportanceOptions } from "./importance.ts";
export { initialize } from "./initialize.ts";
export * from "./mainExports.ts";
export type { OptimizerOptions } from "./optimizer.ts";
export type { FitProgress, FitSettings, MinimizeProgress } from "./options.ts";
export type { ScheduleOptions } from "./schedule.ts";
