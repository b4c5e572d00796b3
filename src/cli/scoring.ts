import { openTable, scoreTable, type Table } from "../data/index.ts";
import { ModelScorer } from "../evaluate/index.ts";
import { count, counted } from "../evaluate/numberText.ts";
import type { Io } from "./io.ts";
import { Messages } from "./messages.ts";
import { readModel } from "./model.ts";

/** A table being scored by a model. `scores` yields the log-densities of its rows; the scorer keeps their mean. */
export interface Scoring {
  readonly scorer: ModelScorer;
  readonly table: Table;
  readonly scores: AsyncGenerator<Float64Array>;
}

/** Opens a model and a table, lets `use` consume the scores of the table, and prints warnings about its rows. */
export async function withScores<T>(
  paths: { readonly model: string; readonly data: readonly string[] },
  { na, threads }: { readonly na: readonly string[]; readonly threads: number | undefined },
  io: Io,
  use: (scoring: Scoring) => Promise<T>,
): Promise<T> {
  const model = await readModel(paths.model);
  const table = await openTable(paths.data, { na, signal: io.interrupted });
  const messages = new Messages(io);
  try {
    const scorer = new ModelScorer(model, { threads, source: table.source });
    const onProgress = (rows: number) => messages.rows(rows, table.rows);
    const result = await use({ scorer, table, scores: scoreTable(scorer, table, { onProgress }) });
    messages.end();
    const missing = table.rows - scorer.logDensity.count;
    if (missing > 0) {
      const have = missing === 1 ? "has" : "have";
      messages.warn(
        `${count(missing)} of ${counted(table.rows, "row")} ${have} no log-density because a value is missing.`,
      );
    }
    for (const warning of scorer.warnings()) messages.warn(warning);
    return result;
  } finally {
    messages.end();
    await table.close();
  }
}
