/** Reads the parts of a model file that only models of tables have. A page with other models does not load it. */

export { readAnomalyReference } from "../anomalies/index.ts";
export { parseTable } from "../columns/index.ts";
