/** Reads the parts of a model file that only models of tables have. A page with other models does not load it. */
export { parseTable } from "../columns/parseTable.ts";
export { splitAnomalyArrays } from "../../model/splitAnomalyArrays.ts";
export { readAnomalyReference } from "../anomalies/storedReference.ts";
