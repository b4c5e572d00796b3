/** Reads the parts of a model file that only models of tables have. A page with other models does not load it. */

export { splitAnomalyArrays } from "../../model/index.ts";
export { readAnomalyReference } from "../anomalies/index.ts";
export { tableFeatures, tableSchema } from "../columns/index.ts";
