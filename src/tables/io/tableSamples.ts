import { PushforwardError } from "../../check/index.ts";
import type { InMemoryDataset } from "../../dataset/index.ts";
import { interruptedError } from "../../files/index.ts";
import type { RunOptions } from "../../flows/index.ts";
import { featureNames, possibleFeatures, type TableValue, type UnlearnedValues } from "../columns/index.ts";
import { notMissing } from "../densities/index.ts";
import type { TableModel, TableSampleOptions } from "../model/index.ts";
import { quotedNames } from "../options/index.ts";
import { interruptedDrawingError } from "./databaseError.ts";
import { scanFeatures } from "./scanFeatures.ts";
import type { Table } from "./table.ts";
import { rowsPerBlock } from "./tableRows.ts";

/** Options of `sampleTable` and `completeTable`. */
interface TableSamplesOptions extends RunOptions {
  /** Default 0. */
  readonly seed?: number | undefined;
  /** Ends after the current block. Default none. */
  readonly signal?: AbortSignal | undefined;
  /** Called after each block with the number of rows that are done. */
  onProgress?: ((rows: number) => void) | undefined;
}

/**
 * Draws rows from the model of a table as features, [rows, D] in row-major order. They come block by block, so that memory does not grow
 * with the number of rows. `given` has known values of some columns, which all rows then have: rows are drawn from the conditional
 * distribution.
 */
export async function* sampleTable(
  model: TableModel,
  rows: number,
  {
    seed = 0,
    signal,
    onProgress,
    given,
    ...run
  }: TableSamplesOptions &
    Pick<TableSampleOptions, "gaps"> & {
      readonly given?: Readonly<Record<string, TableValue>> | undefined;
    } = {},
): AsyncGenerator<Float64Array> {
  const blockRows = rowsPerBlock(model.flow.features);
  for (let start = 0; start < rows; start += blockRows) {
    if (signal?.aborted) throw interruptedDrawingError();
    const count = Math.min(blockRows, rows - start);
    yield await model.sampleFeatures(count, { ...run, seed, start, ...(given && { given }) });
    onProgress?.(start + count);
  }
}

/**
 * Completes the rows of a table: missing values, and those of columns of the model that the table does not have, are drawn given the
 * present values of the row. Each row is completed `copies` times (default 1). The rows are features, [rows * copies, D] in row-major
 * order, block by block.
 *
 * Drawn values are missing with the probability that the model has learned. If `gaps` is false, those are replaced as in imputation, and with
 * `impute` none is drawn (`TableModel.impute`).
 * `onUnlearned` is called before each block is completed, with the counts so far of the values that the model did not learn, so
 * that it can stop the stream by an error.
 *
 * @throws DATA if the table has no column of the model that varies; INTERRUPTED; and what `scanFeatures` throws.
 */
export async function* completeTable(
  model: TableModel,
  table: Table,
  {
    seed = 0,
    signal,
    onProgress,
    onUnlearned,
    copies = 1,
    impute = false,
    gaps,
    ...run
  }: TableSamplesOptions &
    Pick<TableSampleOptions, "gaps"> & {
      readonly copies?: number;
      /** Whether rows are imputed: no value that is drawn can be missing. Default false. */
      readonly impute?: boolean;
      onUnlearned?(values: readonly UnlearnedValues[]): void;
    },
): AsyncGenerator<Float64Array> {
  const names = table.columns.map(({ name }) => name);
  const columns = model.columns.filter(({ name }) => names.includes(name));
  if (columns.length === 0) {
    throw new PushforwardError("DATA", `${table.source} has no column of the model`, {
      expected: `some of ${quotedNames(model.columns.map(({ name }) => name))}`,
      received: quotedNames(names),
    });
  }
  // A block of the table becomes `copies` times as many rows.
  const blockRows = Math.max(1, Math.floor(rowsPerBlock(model.flow.features) / copies));
  const scan = await scanFeatures(table, columns, { blockRows });
  let done = 0;
  for await (const { rows } of scan.blocks()) {
    if (signal?.aborted) throw interruptedError(table.source);
    onUnlearned?.(scan.unlearned);
    const values = allFeatures(model, rows, copies);
    const draws = { ...run, seed, start: done * copies };
    yield impute
      ? await model.imputeFeatures(values, draws)
      : await model.drawUnknown(notMissing(possibleFeatures(model.columns, values)), { ...draws, gaps });
    done += rows.rows;
    onProgress?.(done * copies);
  }
}

/** Extends rows with some features of a model to all its features, with NaN for the absent ones. Each row is repeated `copies` times. */
export function allFeatures(
  { columns }: Pick<TableModel, "columns">,
  rows: InMemoryDataset,
  copies = 1,
): Float64Array {
  const names = columns.flatMap(featureNames);
  const positions = rows.columns!.map((name) => names.indexOf(name));
  const values = new Float64Array(rows.rows * copies * names.length).fill(Number.NaN);
  for (let n = 0; n < rows.rows * copies; n++) {
    const source = Math.floor(n / copies) * rows.features;
    positions.forEach((d, i) => {
      values[n * names.length + d] = rows.values[source + i]!;
    });
  }
  return values;
}
