/** The file format of models, and files of parameters. */

export {
  checkDescriptionSize,
  FORMAT,
  type GivenRecord,
  KEY,
  type ModelContents,
  parseContainer,
  readModel,
  type TrainingRecord,
} from "./modelFile.ts";
export { type ColumnLabels, modelLabels } from "./modelLabels.ts";
export { loadParameters, saveParameters } from "./parameterFile.ts";
export { ANOMALY_PREFIX, splitAnomalyArrays } from "./splitAnomalyArrays.ts";
