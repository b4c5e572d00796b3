/** Anomaly scores, p-values and reasons. */

export { type AnomalyReference, AnomalyScorer } from "./anomalyScorer.ts";
export {
  type Anomaly,
  type AnomalySelection,
  type AnomalySelectionOptions,
  highestScores,
  selectAnomalies,
  selectionRules,
} from "./findAnomalies.ts";
export { withRareValues } from "./rareValues.ts";
export { type AnomalyReason, type ExpectedValue, explainRows, type RowsToExplain } from "./reasons.ts";
export { anomalyArrays, readAnomalyReference } from "./storedReference.ts";
