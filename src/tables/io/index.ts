/** Tables through DuckDB: reading, encoding, scoring and writing. */

export { csvSample } from "./csvSample.ts";
export { Database, stringLiteral } from "./database.ts";
export { type DescribedColumn, type DescribeTableOptions, describeTable } from "./describeTable.ts";
export { formatOf, outputFormat } from "./format.ts";
export { didYouMean, type Labels, orList } from "./labels.ts";
export { exactPath, expandHome, expandPatterns, isPattern, isStandardInput } from "./locate.ts";
export { MAX_FLOAT32 } from "./maxFloat32.ts";
export { tableForModel } from "./modelTable.ts";
export { noScoredRow } from "./noScoredRow.ts";
export { quotedIfNeeded, shellQuotedQuery, subquery } from "./query.ts";
export { readColumns } from "./readColumns.ts";
export { type ReadObjectsOptions, readObjects } from "./readObjects.ts";
export type { Column } from "./relation.ts";
export { rowsForModel } from "./rowsForModel.ts";
export { type SampleBlocksOptions, sampleBlocks } from "./sampleBlocks.ts";
export { sampleWhere } from "./sampleWhere.ts";
export { scanFeatures } from "./scanFeatures.ts";
export { type ScoreTableOptions, scoreTable } from "./scoreTable.ts";
export { isQuery, openTable, Table, type TableOptions } from "./table.ts";
export { explainTableRows, scoreAnomalies, writeAnomalies } from "./tableAnomalies.ts";
export { type NamedRows, readRows, streamRows, type TableBlock, type TableRowsOptions } from "./tableRows.ts";
export { allFeatures, completeTable, sampleTable } from "./tableSamples.ts";
export { readTrainingTable, type TrainingTable, type TrainingTableOptions } from "./trainingTable.ts";
export { writeImputed } from "./writeImputed.ts";
export { writeRows } from "./writeRows.ts";
export { scoreName, writeScored } from "./writeScored.ts";
export { writeTable } from "./writeTable.ts";
