/** Reads the parts of a model file that only models of tables have. A page with other models does not load it. */
export { parseTable } from "../tables/parseTable.ts";
export { readAnomalyReference, splitAnomalyArrays } from "./anomalies/storedReference.ts";
