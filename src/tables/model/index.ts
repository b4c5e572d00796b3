/** `TableModel`, and model files of tables. */

export { buildDistribution } from "./buildDistribution.ts";
export { type BuildFlowOptions, buildFlow } from "./buildFlow.ts";
export { decodeModel } from "./decodeModel.ts";
export { encodeModel, type ModelToSave } from "./encodeModel.ts";
export { type ExportTableOptions, exportTable } from "./exportTable.ts";
export type { LoadedModel } from "./loadedModel.ts";
export { withoutMissing, withStatus } from "./rowStatus.ts";
export { TableModel } from "./tableModel.ts";
export type {
  TableAnomalies,
  TableAnomaliesOptions,
  TableImputeOptions,
  TableSampleOptions,
  TableScoreOptions,
} from "./tableModelOptions.ts";
