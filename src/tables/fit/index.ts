/** `fitTable` and the members of the default model. */

export {
  type FitFlowsOptions,
  type FitFlowsResult,
  fitFlows,
  trainFlows,
  withoutConstants,
} from "./fitFlows.ts";
export { type FitMembersOptions, type FitMembersResult, fitMembers, type Member } from "./fitMembers.ts";
export { type EncodedTable, type FitRowsOptions, type FittedRows, fitRows } from "./fitRows.ts";
export { type FitTableOptions, type FitTableResult, fitTable } from "./fitTable.ts";
export { isFittedWithoutGradients, isKernelDensity } from "./fittedCandidates.ts";
export type { NamedRecipe } from "./memberCandidates.ts";
export { forTables } from "./tableFlows.ts";
export { trimRows } from "./trimRows.ts";
export { withConstants } from "./withConstants.ts";
