export { type BuildFlowOptions, buildFlow, type FlowDescription, type KindOptions } from "./build.ts";
export { ConditionedFlow } from "./conditionedFlow.ts";
export { embedContext } from "./embedContext.ts";
export { Flow } from "./flow.ts";
export type { RowOptions, SampleOptions } from "./flowEvaluator.ts";
export { mixtureFlow } from "./mixture.ts";
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
  type BNAFOptions,
  bnaf,
  bpf,
  type CNFOptions,
  cnf,
  type GaussianizationOptions,
  gaussianization,
  glow,
  iaf,
  type MAFOptions,
  type MadeFlowOptions,
  madeFlow,
  maf,
  type NAFOptions,
  type NSFOptions,
  naf,
  ncsf,
  nice,
  nsf,
  type PlanarFlowOptions,
  type PolynomialFlowOptions,
  planarFlow,
  type RealNVPOptions,
  type RecipeOptions,
  type ResidualFlowOptions,
  radialFlow,
  realNVP,
  residualFlow,
  type SylvesterFlowOptions,
  sospf,
  sylvesterFlow,
  type UMNNOptions,
  umnn,
} from "./recipes/index.ts";
export type { ContextInput } from "./rowInputs.ts";
export type { RunOptions } from "./rowJobs.ts";
export { forTables } from "./tableFlows.ts";
export { withConstants } from "./withConstants.ts";
