import { PushforwardError } from "../errors.ts";
import type { ModelScorer } from "../evaluate/index.ts";
import { modelLabels } from "../flows/modelLabels.ts";
import type { TableColumn } from "../tables/tableColumn.ts";
import { interruptedError } from "./databaseError.ts";
import { checkLabels, withLabels } from "./labels.ts";
import { tableForModel } from "./modelTable.ts";
import { type FeatureBlock, type FeatureScan, scanFeatures } from "./scanFeatures.ts";
import type { Table } from "./table.ts";
import { scanRows } from "./tableRows.ts";
import { ROW_STATUS, type UnlearnedValues } from "./unlearnedValues.ts";

/** Options of `scoreTable`. */
export interface ScoreTableOptions {
  /** Called after each block with the number of rows that are done. */
  onProgress?(rows: number): void;
  /** The columns that are read, for a model of a table and a scorer that needs no others. Default: all columns of the model. */
  readonly columns?: readonly string[];
  /** Called at the end with the values that the model did not learn, such as new labels. Only for models of tables of any kind. */
  onUnlearned?(values: readonly UnlearnedValues[]): void;
}

/**
 * The log-density of every row of a table, in nats and data units, block by block in the order of the table; NaN where a
 * value is missing. Memory does not grow with the table. `writeScored` writes them; the scorer has their mean, and warnings
 * about unusual rows.
 *
 * @throws DATA when the table lacks columns of the model, has an infinite value, or no row without a missing value; NUMERIC
 *   when a log-density is NaN; INTERRUPTED when the signal of the table is aborted.
 */
export async function* scoreTable(
  scorer: ModelScorer,
  table: Table,
  { onProgress, onUnlearned, columns: needed }: ScoreTableOptions = {},
): AsyncGenerator<Float64Array> {
  const { columns, given, table: tableColumns } = scorer.model;
  if (tableColumns) {
    const read = needed ? tableColumns.filter(({ name }) => needed.includes(name)) : tableColumns;
    const scan = await featuresForModel(table, read, scorer.model);
    yield* scoreFeatures(scorer, table, scan, onProgress);
    onUnlearned?.(scan.unlearned);
    return;
  }
  const readable = await tableForModel(table, scorer.model);
  let done = 0;
  let complete = 0;
  for await (const block of scanRows(readable, columns, { given })) {
    const scored = await scorer.score(block.complete);
    if (table.database.signal?.aborted) throw interruptedError(table.source);
    done += block.total;
    complete += scored.length;
    onProgress?.(done);
    if (scored.length === block.total) yield scored;
    else {
      const scores = new Float64Array(block.total).fill(Number.NaN);
      for (const [i, number] of block.complete.rowNumbers.entries())
        scores[number - block.start] = scored[i]!;
      yield scores;
    }
  }
  if (complete === 0) throw noCompleteRow(table);
}

/** The features of a table as a model of a table reads them; the labels of its context become numbers. */
async function featuresForModel(
  table: Table,
  columns: readonly TableColumn[],
  model: Pick<ModelScorer["model"], "columns" | "given" | "labels">,
): Promise<FeatureScan> {
  const labels = modelLabels(model);
  const readable = withLabels(table, labels);
  const scan = await scanFeatures(readable, columns, { given: model.given });
  await checkLabels(table, labels);
  return scan;
}

async function* scoreFeatures(
  scorer: ModelScorer,
  table: Table,
  scan: FeatureScan,
  onProgress: ScoreTableOptions["onProgress"],
): AsyncGenerator<Float64Array> {
  let done = 0;
  let scored = 0;
  for await (const { rows, status } of scan.blocks()) {
    const scores = await scoreBlock(scorer, rows, status);
    if (table.database.signal?.aborted) throw interruptedError(table.source);
    done += rows.rows;
    scored += scores.filter((score) => !Number.isNaN(score)).length;
    onProgress?.(done);
    yield scores;
  }
  if (scored === 0) throw noCompleteRow(table);
}

/** NaN for incomplete rows, -Infinity for impossible ones, and the log-density of all others. */
async function scoreBlock(
  scorer: ModelScorer,
  rows: FeatureBlock["rows"],
  status: Uint8Array,
): Promise<Float64Array> {
  const valid = Int32Array.from(status, (_, n) => n).filter((n) => status[n] === ROW_STATUS.valid);
  const scores = Float64Array.from(status, (each) =>
    each === ROW_STATUS.impossible ? Number.NEGATIVE_INFINITY : Number.NaN,
  );
  const impossible = Int32Array.from(status, (_, n) => n).filter((n) => status[n] === ROW_STATUS.impossible);
  scorer.addImpossible(rows.select(impossible));
  const scored = await scorer.score(rows.select(valid));
  valid.forEach((n, i) => {
    scores[n] = scored[i]!;
  });
  return scores;
}

function noCompleteRow({ rows, source }: Table): PushforwardError {
  if (rows === 0) {
    return new PushforwardError("DATA", `${source} has no rows`, {
      hint: "Give a table with rows below its header.",
    });
  }
  return new PushforwardError("DATA", `${source} has no row without a missing value`, {
    received: `${rows} row${rows === 1 ? "" : "s"}`,
    hint: "Fill in the missing values in the columns of the model.",
  });
}
