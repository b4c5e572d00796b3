export {
  type CheckpointStore,
  type Epoch,
  type FitData,
  type FitOptions,
  type FitResult,
  type FitSettings,
  fit,
  type Progress,
} from "./fit.ts";
export { type FitTableOptions, type FittedTable, fitTable, type TableRows } from "./fitTable.ts";
export { initialize } from "./initialize.ts";
export type { OptimizerOptions } from "./optimizer.ts";
export type { RowBlock, RowStream } from "./rowStream.ts";
export type { ScheduleOptions } from "./schedule.ts";
