export { buildFlow, type FlowDescription } from "./build.ts";
export { Flow, type RunOptions, type SampleOptions } from "./flow.ts";
export { mixture } from "./mixture.ts";
export { decodeModel, encodeModel, type Model, type TrainingRecord } from "./modelFile.ts";
export {
  type AutoregressiveRecipeOptions,
  type ContinuousRecipeOptions,
  type CouplingRecipeOptions,
  cnf,
  iaf,
  type MadeRecipeOptions,
  made,
  maf,
  nice,
  nsf,
  type PlanarRecipeOptions,
  planar,
  type RecipeOptions,
  radial,
  realNVP,
  type SplineRecipeOptions,
  type SylvesterRecipeOptions,
  sylvester,
} from "./recipes.ts";
export { decodeSafetensors, encodeSafetensors, type Safetensors, type StoredArray } from "./safetensors.ts";
export { forTables, type TableFlowOptions, tableFlows } from "./tableFlows.ts";
