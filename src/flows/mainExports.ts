/** What both `pushforward` and `pushforward/flows` export. */
export { type BuildFlowOptions, buildFlow, type FlowDescription, type KindOptions } from "./build.ts";
export { ConditionedFlow } from "./conditionedFlow.ts";
export { embedContext } from "./embedContext.ts";
export { Flow } from "./flow.ts";
export type { RowOptions, SampleOptions } from "./flowEvaluator.ts";
export { mixtureFlow } from "./mixture.ts";
export { decodeModel, encodeModel, type Model, type ModelToSave } from "./modelFile.ts";
export { loadParameters, saveParameters } from "./parameterFile.ts";
export * from "./recipes/index.ts";
export type { ContextInput } from "./rowInputs.ts";
export { forTables } from "./tableFlows.ts";
export { withConstants } from "./withConstants.ts";
