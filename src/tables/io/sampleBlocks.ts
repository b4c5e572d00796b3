import {
  abortSignal,
  anyValue,
  callback,
  checkOptions,
  integerFrom,
  PushforwardError,
  required,
  seedValue,
} from "../../check/index.ts";
import { InMemoryDataset, joinColumns } from "../../dataset/index.ts";
import type { RunOptions } from "../../flows/index.ts";
import { runRules } from "../../runtime/index.ts";
import type { LoadedModel } from "../model/index.ts";
import { interruptedDrawingError } from "./databaseError.ts";
import { MAX_FLOAT32 } from "./maxFloat32.ts";
import { Table } from "./table.ts";
import { rowsPerBlock, scanRows } from "./tableRows.ts";

/** Options of `sampleBlocks`. */
export interface SampleBlocksOptions extends RunOptions {
  /** The number of rows to draw; if `given` is a table, for each of its rows. */
  readonly rows: number;
  /** Default 0. With the same seed, the first rows do not depend on the number of rows. */
  readonly seed?: number | undefined;
  /** The values [C] of the given columns for all rows, or a table of them, as `tableForModel` returns it. Default none. */
  readonly given?: Float64Array | Table | undefined;
  /** Ends sampling after the current block. Default none. */
  readonly signal?: AbortSignal | undefined;
  /** Called with each block of contexts before rows are drawn for it. */
  onContext?: ((contexts: InMemoryDataset) => void) | undefined;
  /** Called after each block with the number of rows that are drawn. */
  onProgress?: ((rows: number) => void) | undefined;
}

/**
 * Draws rows from a model block by block: the columns of the model, and after them its given columns. `writeRows` writes them.
 * Memory does not grow with the number of rows. Rows of a table in `given` that have a missing value are left out.
 *
 * @throws DATA when no row of the table in `given` is complete, or a number in it is too large for float32; INTERRUPTED when
 *   the signal is aborted.
 */
export async function* sampleBlocks(
  model: Pick<LoadedModel, "flow" | "columns" | "given">,
  options: SampleBlocksOptions,
): AsyncGenerator<Float64Array> {
  checkOptions("sampleBlocks", options, {
    ...runRules,
    rows: required(integerFrom(0)),
    seed: seedValue,
    given: anyValue,
    signal: abortSignal,
    onContext: callback,
    onProgress: callback,
  });
  const { rows: rowsPerContext, seed = 0, given, signal, onContext, onProgress, ...run } = options;
  const { flow, columns } = model;
  const blockRows = rowsPerBlock(columns.length + model.given.length);
  let start = 0;
  for await (const contexts of contextBlocks(model.given, given)) {
    onContext?.(contexts);
    const total = contexts.rows * rowsPerContext;
    for (let first = 0; first < total; first += blockRows) {
      if (signal?.aborted) throw interruptedDrawingError();
      const count = Math.min(blockRows, total - first);
      const repeated = (i: number) => Math.floor((first + i) / rowsPerContext);
      const { context } = contexts.select(Int32Array.from({ length: count }, (_, i) => repeated(i)));
      const conditional = context.length > 0 && { context };
      const samples = await flow.sample(count, { ...run, seed, start, ...conditional });
      start += count;
      onProgress?.(start);
      yield joinColumns(samples, context, count);
    }
  }
}

/** The contexts to draw rows for, as datasets whose features are not used. An unconditional model has one context, without columns. */
async function* contextBlocks(
  names: readonly string[],
  given: Float64Array | Table | undefined,
): AsyncGenerator<InMemoryDataset> {
  if (!(given instanceof Table)) {
    yield new InMemoryDataset({ features: 1, values: new Float64Array(1), ...(given && { context: given }) });
    return;
  }
  let complete = 0;
  for await (const block of scanRows(given, names)) {
    const { rows, values: context, rowNumbers } = block.complete;
    checkFloat32(context, rowNumbers, names, given);
    complete += rows;
    yield new InMemoryDataset({ features: 1, values: new Float64Array(rows), context, rowNumbers });
  }
  if (complete > 0) return;
  throw new PushforwardError("DATA", `${given.source} has no row without a missing value`, {
    expected: `values of ${names.join(", ")}`,
    hint: "Give a table with complete rows, or values: --given name=1",
  });
}

function checkFloat32(
  values: Float64Array,
  rowNumbers: Int32Array,
  names: readonly string[],
  table: Table,
): void {
  const first = values.findIndex((value) => !Number.isFinite(Math.fround(value)));
  if (first < 0) return;
  const row = rowNumbers[Math.floor(first / names.length)]!;
  throw new PushforwardError(
    "DATA",
    `${table.source} has a value that is too large in ${table.rowText(row)}`,
    {
      expected: `numbers up to ${MAX_FLOAT32} in ${names[first % names.length]}`,
      received: `${values[first]}`,
      hint: "Correct it, or leave the row out in a query.",
    },
  );
}
