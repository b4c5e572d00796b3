/** `Flow`, its evaluation and export, and the recipes. */

export { ActiveCalls } from "./activeCalls.ts";
export {
  Autoencoder,
  type AutoencoderSampleOptions,
  type EncodeOptions,
  type ImportanceLogProbOptions,
} from "./autoencoder.ts";
export { arrayInput, BatchRunner, type RowInput, type RunOptions } from "./batchRunner.ts";
export { type CheckBijectionOptions, checkBijection } from "./checkBijection.ts";
export { checkFlow } from "./checkParts.ts";
export { ConditionedFlow } from "./conditionedFlow.ts";
export { type DequantizeOptions, dequantize } from "./dequantize.ts";
export { embedContext } from "./embedContext.ts";
export { estimateParameters } from "./estimateParameters.ts";
export {
  BOUND,
  CONTEXT,
  checkedOptions,
  checkPrecision,
  contextOf,
  type DescribedRows,
  type ExportFlowOptions,
  exportFlow,
  LOG_DENSITY,
  parameterNames,
  type TensorMaps,
} from "./exportFlow.ts";
export { type Float64Column, float64Column, nestedFloat64Column } from "./float64Column.ts";
export { Flow } from "./flow.ts";
export {
  buildRegisteredFlow,
  type FlowDescription,
  flowSchema,
  type KindOptions,
  kindRules,
} from "./flowDescription.ts";
export { checkCount, type RowOptions, type SampleOptions } from "./flowEvaluator.ts";
export { flowSummary, parameterCount } from "./flowSummary.ts";
export { latentLine } from "./latentLine.ts";
export { mixtureFlow } from "./mixture.ts";
export { type Declaration, type ExportedModel, ModelExport, noiseInputs } from "./modelExport.ts";
export { iaf, type MAFOptions, maf } from "./recipes/autoregressive.ts";
export { type CNFOptions, cnf } from "./recipes/continuous.ts";
export { glow, nice, type RealNVPOptions, realNVP } from "./recipes/coupling.ts";
export { type GaussianizationOptions, gaussianization } from "./recipes/gaussianization.ts";
export {
  DEFAULT_LEVELS,
  type ImageCouplingRecipeOptions,
  type ImageFlowRecipeOptions,
  type ImageRecipeOptions,
  logitPixels,
} from "./recipes/images.ts";
export { type ImageTransformerOptions, imageTransformer } from "./recipes/imageTransformer.ts";
export type { RecipeOptions } from "./recipes/layers.ts";
export { type MadeFlowOptions, madeFlow } from "./recipes/made.ts";
export {
  type BNAFOptions,
  bnaf,
  bpf,
  type NAFOptions,
  naf,
  type PolynomialFlowOptions,
  sospf,
  type UMNNOptions,
  umnn,
} from "./recipes/monotone.ts";
export type { GlowImageOptions, RealNVPImageOptions } from "./recipes/multiScale.ts";
export { NICE_LAYERS, type NiceImageOptions } from "./recipes/niceOfImages.ts";
export {
  type PlanarFlowOptions,
  planarFlow,
  type RadialRecipeOptions,
  radialFlow,
  type SylvesterFlowOptions,
  sylvesterFlow,
} from "./recipes/planar.ts";
export { type ResidualFlowOptions, residualFlow } from "./recipes/residual.ts";
export { type NSFOptions, ncsf, nsf } from "./recipes/spline.ts";
export { type TarflowOptions, tarflow } from "./recipes/tarflow.ts";
export { type VAEOptions, vae } from "./recipes/vae.ts";
export type { ContextInput } from "./rowInputs.ts";
