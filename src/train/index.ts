export { type FitData, type FitResult, fit } from "./fit.ts";
export { type FitTableOptions, type FittedTable, fitTable, type TableRows } from "./fitTable.ts";
export { initialize } from "./initialize.ts";
export type { OptimizerOptions } from "./optimizer.ts";
export type { CheckpointStore, Epoch, FitOptions, FitSettings, Progress } from "./options.ts";
export type { RowBlock, RowStream } from "./rowStream.ts";
export type { ScheduleOptions } from "./schedule.ts";
