import { PushforwardError } from "../errors.ts";
import type { ModelScorer } from "../evaluate/index.ts";
import { interruptedError } from "./databaseError.ts";
import { tableForModel } from "./modelTable.ts";
import type { Table } from "./table.ts";
import { scanRows } from "./tableRows.ts";

/** Options of `scoreTable`. */
export interface ScoreTableOptions {
  /** Called after each block with the number of rows that are done. */
  onProgress?(rows: number): void;
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
  { onProgress }: ScoreTableOptions = {},
): AsyncGenerator<Float64Array> {
  const { columns, given } = scorer.model;
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
