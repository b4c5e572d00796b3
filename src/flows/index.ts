export { type BuildFlowOptions, buildFlow, type FlowDescription, type KindOptions } from "./build.ts";
export { decodeChecked, encodeChecked } from "./checksum.ts";
export { ConditionedFlow } from "./conditionedFlow.ts";
export { embedContext } from "./embedContext.ts";
export { Flow } from "./flow.ts";
export type { RowOptions, SampleOptions } from "./flowEvaluator.ts";
export { mixture } from "./mixture.ts";
export {
  decodeModel,
  encodeModel,
  type GivenRecord,
  type Model,
  type ModelToSave,
  type TrainingRecord,
} from "./modelFile.ts";
export { loadParameters, saveParameters } from "./parameterFile.ts";
export {
  type AutoregressiveRecipeOptions,
  type BNAFRecipeOptions,
  bnaf,
  bpf,
  type ContinuousRecipeOptions,
  type CouplingRecipeOptions,
  cnf,
  type GaussianizationRecipeOptions,
  gaussianization,
  glow,
  iaf,
  type MadeRecipeOptions,
  made,
  maf,
  type NAFRecipeOptions,
  naf,
  ncsf,
  nice,
  nsf,
  type PlanarRecipeOptions,
  type PolynomialRecipeOptions,
  planar,
  type RecipeOptions,
  type ResidualRecipeOptions,
  radial,
  realNVP,
  residual,
  type SplineRecipeOptions,
  type SylvesterRecipeOptions,
  sospf,
  sylvester,
  type UMNNRecipeOptions,
  umnn,
} from "./recipes/index.ts";
export type { ContextInput } from "./rowInputs.ts";
export type { RunOptions } from "./rowJobs.ts";
export {
  declaredSize,
  decodeSafetensors,
  encodeSafetensors,
  type Safetensors,
  type StoredArray,
} from "./safetensors.ts";
export { forTables, type TableFlowOptions, tableFlows } from "./tableFlows.ts";
export { withConstants } from "./withConstants.ts";
