/** What both `pushforward` and `pushforward/flows` export. */

export type { Anomaly } from "./anomalies/findAnomalies.ts";
export type { AnomalyReason, ExpectedValue } from "./anomalies/reasons.ts";
export {
  Autoencoder,
  type AutoencoderSampleOptions,
  type EncodeOptions,
  type ImportanceLogProbOptions,
} from "./autoencoder.ts";
export { type BuildFlowOptions, buildFlow } from "./build.ts";
export type { ImageClassification } from "./classPosterior.ts";
export { ConditionedFlow } from "./conditionedFlow.ts";
export { decodeModel } from "./decodeModel.ts";
export { type DequantizeOptions, dequantize } from "./dequantize.ts";
export { embedContext } from "./embedContext.ts";
export { encodeModel, type ModelToSave } from "./encodeModel.ts";
export type { ExportFlowOptions } from "./exportFlow.ts";
export type { ExportTableOptions } from "./exportTable.ts";
export { Flow } from "./flow.ts";
export type { FlowDescription, KindOptions } from "./flowDescription.ts";
export type { RowOptions, SampleOptions } from "./flowEvaluator.ts";
export { ImageModel, type ImageOptions, type ImageSampleOptions } from "./imageModel.ts";
export { mixtureFlow } from "./mixture.ts";
export type { LoadedModel } from "./modelFile.ts";
export { loadParameters, saveParameters } from "./parameterFile.ts";
export { logitPixels } from "./recipes/images.ts";
export { type ImageTransformerOptions, imageTransformer } from "./recipes/imageTransformer.ts";
export * from "./recipes/index.ts";
export { type TarflowOptions, tarflow } from "./recipes/tarflow.ts";
export { type VAEOptions, vae } from "./recipes/vae.ts";
export type { ContextInput } from "./rowInputs.ts";
export { forTables } from "./tableFlows.ts";
export { TableModel } from "./tableModel.ts";
export type {
  TableAnomalies,
  TableAnomaliesOptions,
  TableImputeOptions,
  TableSampleOptions,
  TableScoreOptions,
} from "./tableModelOptions.ts";
export { withConstants } from "./withConstants.ts";
