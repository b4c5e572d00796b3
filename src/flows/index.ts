export type { RunOptions } from "./batchRunner.ts";
export { estimateParameters } from "./estimateParameters.ts";
export { flowSummary, parameterCount } from "./flowSummary.ts";
export * from "./mainExports.ts";
export type { GivenRecord, TrainingRecord } from "../model/modelFile.ts";
export { type ColumnLabels, modelLabels } from "../model/modelLabels.ts";
export type { CNFOptions } from "./recipes/continuous.ts";
