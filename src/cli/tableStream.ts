import { checkForFitting, completeRows, scanMatrix, type Table } from "../data/index.ts";
import type { RowStream } from "../train/index.ts";
import { apart } from "./sideBySide.ts";

/** The complete rows of a table, block by block in the order of the table; those of `given` are the context. */
export function tableStream(table: Table, columns: readonly string[], given: readonly string[]): RowStream {
  return {
    async *blocks() {
      const width = columns.length + given.length;
      let complete = 0;
      for await (const chunk of scanMatrix(table, [...columns, ...given])) {
        const values = completeRows(chunk);
        const rows = values.length / width;
        complete += rows;
        const [x, context] = apart(values, columns.length, rows);
        yield { values: x, context };
      }
      if (complete >= 2) return;
      const missing = table.rows - complete;
      checkForFitting({ rows: complete, missing }, table.source);
    },
  };
}
