/**
 * pushforward: normalizing flows, trained and run through ONNX Runtime, in Node and in a page.
 *
 * This entry point exports what most programs need. Entry points such as `pushforward/train`, in the directory `public`, export the rest.
 * Model files, tables and pictures need Node: they are in `pushforward/files`, `pushforward/data` and `pushforward/report`.
 */

export { type ErrorCode, PushforwardError } from "./check/index.ts";
export type { Communicator } from "./communicator/index.ts";
export {
  type Dataset,
  type DatasetOptions,
  dataset,
  type RowBlock,
  type RowStream,
  type RowsInput,
} from "./dataset/index.ts";
export {
  Autoencoder,
  type AutoencoderSampleOptions,
  type BNAFOptions,
  bnaf,
  bpf,
  ConditionedFlow,
  type ContextInput,
  cnf,
  type DequantizeOptions,
  dequantize,
  type EncodeOptions,
  type ExportFlowOptions,
  embedContext,
  Flow,
  type FlowDescription,
  type GaussianizationOptions,
  type GlowImageOptions,
  gaussianization,
  glow,
  type ImageCouplingRecipeOptions,
  type ImageFlowRecipeOptions,
  type ImageRecipeOptions,
  type ImageTransformerOptions,
  type ImportanceLogProbOptions,
  iaf,
  imageTransformer,
  type KindOptions,
  logitPixels,
  type MAFOptions,
  type MadeFlowOptions,
  madeFlow,
  maf,
  mixtureFlow,
  type NAFOptions,
  type NiceImageOptions,
  type NSFOptions,
  naf,
  ncsf,
  nice,
  nsf,
  type PlanarFlowOptions,
  type PolynomialFlowOptions,
  planarFlow,
  type RadialRecipeOptions,
  type RealNVPImageOptions,
  type RealNVPOptions,
  type RecipeOptions,
  type ResidualFlowOptions,
  type RowOptions,
  radialFlow,
  realNVP,
  residualFlow,
  type SampleOptions,
  type SylvesterFlowOptions,
  sospf,
  sylvesterFlow,
  type TarflowOptions,
  tarflow,
  type UMNNOptions,
  umnn,
  type VAEOptions,
  vae,
} from "./flows/index.ts";
export {
  concat,
  constant,
  grad,
  input,
  jacobian,
  Parameter,
  scalar,
  stack,
  Tensor,
  valueAndGrad,
  vjp,
} from "./graph/index.ts";
export {
  type ImageClassification,
  ImageModel,
  type ImageOptions,
  type ImageSampleOptions,
} from "./images/model/index.ts";
export { loadParameters, saveParameters } from "./model/index.ts";
export * from "./public/bijections.ts";
export * from "./public/distributions.ts";
export { Random, RandomStream, type Toy, toys } from "./random/index.ts";
export { compile } from "./runtime/index.ts";
export type { Anomaly, AnomalyReason, ExpectedValue } from "./tables/anomalies/index.ts";
export type {
  ColumnOptions,
  ReturnedRow,
  TableColumn,
  TableInput,
  TableRow,
  TableValue,
} from "./tables/columns/index.ts";

export {
  type FitFlowsOptions,
  type FitFlowsResult,
  type FitTableOptions,
  type FitTableResult,
  fitFlows,
  fitTable,
  forTables,
  type Member,
  type NamedRecipe,
  withConstants,
} from "./tables/fit/index.ts";
export {
  type BuildFlowOptions,
  buildFlow,
  decodeModel,
  type ExportTableOptions,
  encodeModel,
  type LoadedModel,
  type ModelToSave,
  type TableAnomalies,
  type TableAnomaliesOptions,
  type TableImputeOptions,
  TableModel,
  type TableSampleOptions,
  type TableScoreOptions,
} from "./tables/model/index.ts";
export { type ColumnNote, columnNotes, valuesRepeat } from "./tables/notes/index.ts";
export type { ColumnKind } from "./tables/options/index.ts";
export {
  adam,
  adamW,
  type CheckpointStore,
  type DensityObjective,
  type FitDensityOptions,
  type FitDensityResult,
  type FitEpoch,
  type FitOptions,
  type FitResult,
  fit,
  fitDensity,
  type ImportanceResult,
  importance,
  type Loss,
  type LossBatch,
  type MinimizeEpoch,
  type MinimizeOptions,
  type MinimizeResult,
  ModelOptimizer,
  minimize,
  sgd,
  type TargetDensity,
  type TrainingData,
} from "./train/index.ts";
