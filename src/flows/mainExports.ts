/** What both `pushforward` and `pushforward/flows` export. */

export type { Anomaly } from "../tables/anomalies/findAnomalies.ts";
export type { AnomalyReason, ExpectedValue } from "../tables/anomalies/reasons.ts";
export {
  Autoencoder,
  type AutoencoderSampleOptions,
  type EncodeOptions,
  type ImportanceLogProbOptions,
} from "./autoencoder.ts";
export { type BuildFlowOptions, buildFlow } from "./build.ts";
export type { ImageClassification } from "../images/model/classPosterior.ts";
export { ConditionedFlow } from "./conditionedFlow.ts";
export { decodeModel } from "../tables/model/decodeModel.ts";
export { type DequantizeOptions, dequantize } from "./dequantize.ts";
export { embedContext } from "./embedContext.ts";
export { encodeModel, type ModelToSave } from "../tables/model/encodeModel.ts";
export type { ExportFlowOptions } from "./exportFlow.ts";
export type { ExportTableOptions } from "../tables/model/exportTable.ts";
export { Flow } from "./flow.ts";
export type { FlowDescription, KindOptions } from "./flowDescription.ts";
export type { RowOptions, SampleOptions } from "./flowEvaluator.ts";
export { ImageModel, type ImageOptions, type ImageSampleOptions } from "../images/model/imageModel.ts";
export { mixtureFlow } from "./mixture.ts";
export type { LoadedModel } from "../model/modelFile.ts";
export { loadParameters, saveParameters } from "./parameterFile.ts";
export { logitPixels } from "./recipes/images.ts";
export { type ImageTransformerOptions, imageTransformer } from "./recipes/imageTransformer.ts";
export * from "./recipes/index.ts";
export { type TarflowOptions, tarflow } from "./recipes/tarflow.ts";
export { type VAEOptions, vae } from "./recipes/vae.ts";
export type { ContextInput } from "./rowInputs.ts";
export { forTables } from "../tables/fit/tableFlows.ts";
export { TableModel } from "../tables/model/tableModel.ts";
export type {
  TableAnomalies,
  TableAnomaliesOptions,
  TableImputeOptions,
  TableSampleOptions,
  TableScoreOptions,
} from "../tables/model/tableModelOptions.ts";
export { withConstants } from "../tables/fit/withConstants.ts";
