import { callback, checkOptions, listOfTexts } from "../../check/index.ts";
import { type InMemoryDataset, range } from "../../dataset/index.ts";
import { interruptedError } from "../../files/index.ts";
import { ROW_STATUS, type TableColumn, type UnlearnedValues } from "../columns/index.ts";
import type { ModelScorer } from "../evaluate/index.ts";
import { checkColumns, tableForModel } from "./modelTable.ts";
import { noScoredRow } from "./noScoredRow.ts";
import { type FeatureScan, scanFeatures } from "./scanFeatures.ts";
import type { Table } from "./table.ts";
import { scanRows, type TableBlock } from "./tableRows.ts";

/** Options of `scoreTable`. */
export interface ScoreTableOptions {
  /** Called after each block with the number of rows that are done. */
  onProgress?: ((rows: number) => void) | undefined;
  /** The columns to read, if the scorer needs only some columns of the model of a table. Default: all columns of the model. */
  readonly columns?: readonly string[] | undefined;
  /** Called at the end with the values that the model did not learn, such as new labels. Only for models of tables of any kind. */
  onUnlearned?: ((values: readonly UnlearnedValues[]) => void) | undefined;
}

/**
 * The log-densities of all rows of a table, in nats and data units, block by block in the order of the table; NaN where a
 * value is missing. Memory does not grow with the table. `writeScored` writes the log-densities; the scorer has their mean, and
 * warnings about unusual rows.
 *
 * @throws DATA when the table lacks columns of the model, has an infinite value, or no row without a missing value; NUMERIC
 *   when a log-density is NaN; INTERRUPTED when the signal of the table is aborted.
 */
export async function* scoreTable(
  scorer: ModelScorer,
  table: Table,
  options: ScoreTableOptions = {},
): AsyncGenerator<Float64Array> {
  checkOptions("scoreTable", options, {
    onProgress: callback,
    columns: listOfTexts,
    onUnlearned: callback,
  });
  const { onProgress, onUnlearned, columns: needed } = options;
  const { columns, given, table: tableColumns } = scorer.model;
  if (tableColumns) {
    const read = needed ? tableColumns.filter(({ name }) => needed.includes(name)) : tableColumns;
    const { scan, readable } = await featuresForModel(table, read, scorer.model);
    const scored = yield* scoreBlocks(scorer, table, blocksByStatus(scan), onProgress);
    if (scored === 0) throw await noScoredRow(readable, { names: given, unlearned: scan.unlearned });
    onUnlearned?.(scan.unlearned);
    return;
  }
  const readable = await tableForModel(table, scorer.model);
  const scored = yield* scoreBlocks(scorer, table, scanRows(readable, columns, { given }), onProgress);
  if (scored === 0) throw await noScoredRow(readable, { names: [...columns, ...given] });
}

/** The features of a table as a model of a table reads them, and the table with numbers in place of the labels of its context. */
async function featuresForModel(
  table: Table,
  columns: readonly TableColumn[],
  model: Pick<ModelScorer["model"], "columns" | "given" | "labels">,
): Promise<{ scan: FeatureScan; readable: Table }> {
  checkColumns(table, [...columns.map(({ name }) => name), ...model.given]);
  const readable = await tableForModel(table, model, model.given);
  const scan = await scanFeatures(readable, columns, { given: model.given });
  return { scan, readable };
}

/** Consecutive rows of a table; those without a missing value are `complete`, except for those of probability 0. */
interface ScoredBlock extends TableBlock {
  /** The rows of probability 0. */
  readonly impossible?: InMemoryDataset;
}

async function* blocksByStatus(scan: FeatureScan): AsyncGenerator<ScoredBlock> {
  for await (const { start, rows, status } of scan.blocks()) {
    const withStatus = (wanted: number) => rows.select(range(rows.rows).filter((n) => status[n] === wanted));
    yield {
      start,
      total: rows.rows,
      complete: withStatus(ROW_STATUS.valid),
      impossible: withStatus(ROW_STATUS.impossible),
    };
  }
}

/**
 * The log-densities of all rows of each block: NaN for incomplete rows, and -Infinity for impossible ones. Returns the number of rows that have
 * a log-density.
 */
async function* scoreBlocks(
  scorer: ModelScorer,
  table: Table,
  blocks: AsyncIterable<ScoredBlock>,
  onProgress: ScoreTableOptions["onProgress"],
): AsyncGenerator<Float64Array, number> {
  let done = 0;
  let scored = 0;
  for await (const { start, total, complete, impossible } of blocks) {
    if (impossible) scorer.addImpossible(impossible);
    const logDensities = await scorer.score(complete);
    if (table.database.signal?.aborted) throw interruptedError(table.source);
    done += total;
    scored += complete.rows + (impossible?.rows ?? 0);
    onProgress?.(done);
    const scores = new Float64Array(total).fill(Number.NaN);
    complete.rowNumbers.forEach((row, i) => {
      scores[row - start] = logDensities[i]!;
    });
    for (const row of impossible?.rowNumbers ?? []) scores[row - start] = Number.NEGATIVE_INFINITY;
    yield scores;
  }
  return scored;
}
