export { type ColumnSummary, columnSummary } from "../notes/index.ts";
export {
  type DescribedColumn,
  type DescribeTableOptions,
  describeTable,
} from "./describeTable.ts";
export type { Labels } from "./labels.ts";
export { tableForModel } from "./modelTable.ts";
export { type ReadObjectsOptions, readObjects } from "./readObjects.ts";
export type { Column } from "./relation.ts";
export { type SampleBlocksOptions, sampleBlocks } from "./sampleBlocks.ts";
export { type ScoreTableOptions, scoreTable } from "./scoreTable.ts";
export { openTable, Table, type TableOptions } from "./table.ts";
export { type NamedRows, readRows, streamRows, type TableBlock, type TableRowsOptions } from "./tableRows.ts";
export { readTrainingTable, type TrainingTable, type TrainingTableOptions } from "./trainingTable.ts";
export { writeRows } from "./writeRows.ts";
export { writeScored } from "./writeScored.ts";
