import { count, counted, PushforwardError } from "../check/index.ts";
import type { EngineOptions } from "../runtime/index.ts";
import {
  completeTable,
  openTable,
  quotedIfNeeded,
  sampleTable,
  sampleWhere,
  shellQuotedQuery,
  type Table,
  writeTable,
} from "../tables/io/index.ts";
import { type LoadedModel, TableModel } from "../tables/model/index.ts";
import type { Io } from "./io.ts";
import { knownValues, unknownColumn } from "./knownValues.ts";
import { Messages } from "./messages.ts";
import type { ReadOptions } from "./options.ts";
import { noteMembersUsed } from "./requireTableModel.ts";
import { reportWritten, type tableOutput } from "./tableOutput.ts";
import { unlearnedError, unlearnedText } from "./unlearnedText.ts";
import { writeParts } from "./writeParts.ts";

interface Values extends ReadOptions {
  readonly given: string | undefined;
  readonly where: string | undefined;
  readonly noGaps: boolean;
  readonly rows: number | undefined;
  readonly seed: number;
  readonly run: EngineOptions;
}

/** Draws rows from the model of a table, given values of any of its columns, or a table of them. */
export async function sampleTableModel(
  loaded: LoadedModel,
  { given: text, where, noGaps, rows, seed, run, na, decimal, delimiter }: Values,
  {
    destination,
    directory,
  }: { destination: Awaited<ReturnType<typeof tableOutput>>; directory: string | undefined },
  io: Io,
): Promise<void> {
  const model = TableModel.from(loaded);
  const messages = new Messages(io);
  const values = text === undefined ? undefined : knownValues(text, model.columns);
  const table =
    text !== undefined && !values
      ? await openTable(text, { na, decimal, delimiter, signal: io.interrupted })
      : undefined;
  if (table && where !== undefined) {
    await table.close();
    throw new PushforwardError("ARGUMENT", "--where cannot be combined with a table in --given", {
      hint: "Give values: --given region=north,age=40",
    });
  }
  const copies = rows ?? (table ? 1 : 1000);
  const total = copies * (table?.rows ?? 1);
  let drawn = 0;
  let tried = 0;
  const options = {
    seed,
    signal: io.interrupted,
    gaps: !noGaps,
    ...run,
    onProgress(rows: number) {
      drawn = rows;
      messages.rowProgress(rows, total);
    },
  };
  try {
    if (table) checkGivenColumns(table, model);
    if (text !== undefined || (noGaps && model.columns.some(({ gaps }) => gaps)))
      noteMembersUsed(model, messages);
    const onAccepted = (accepted: number, drawnRows: number) => {
      tried = drawnRows;
      options.onProgress(accepted);
    };
    const blocks =
      where !== undefined
        ? sampleWhere(model, copies, where, { ...options, given: values, onProgress: onAccepted })
        : table
          ? completeTable(model, table, {
              ...options,
              copies,
              onUnlearned(values) {
                // A missing value is drawn like the columns that the table does not have.
                const first = values.find(({ kind }) => kind !== "incomplete");
                if (first) {
                  const text = unlearnedText(
                    first,
                    table,
                    model.columns,
                    "No row can be drawn given this value.",
                  );
                  throw unlearnedError(text, "Correct the value, or leave the row out in a query.");
                }
              },
            })
          : sampleTable(model, copies, { ...options, given: values });
    const write = (rows: AsyncIterable<Float64Array>, to: typeof destination) =>
      writeTable(model.columns, rows, to);
    const rowsToWrite = await started(blocks);
    if (directory !== undefined) await writeParts(rowsToWrite, model.flow.features, directory, write, io);
    else await write(rowsToWrite, destination);
    messages.clearProgress();
    if (tried > 0)
      messages.print(
        `${count(drawn)} of ${counted(tried, "drawn row")} meet the condition (${percent(drawn / tried)}).`,
      );
    reportWritten(counted(drawn, "row"), destination, io);
  } finally {
    messages.clearProgress();
    await table?.close();
    await model.release();
  }
}

/** Throws `ARGUMENT` for a column that the model does not have: its values would have no effect. */
function checkGivenColumns(table: Table, model: TableModel): void {
  const names = model.columns.map(({ name }) => name);
  const unknown = table.columns.find(({ name }) => !names.includes(name))?.name;
  if (unknown === undefined) return;
  const query = `SELECT * EXCLUDE (${quotedIfNeeded(unknown)}) FROM ${table.inQuery() ?? "..."}`;
  throw unknownColumn(unknown, names, {
    received: `the columns of ${table.source} in --given`,
    hint: `Leave it out in a query: --given ${shellQuotedQuery(query)}`,
  });
}

/** A share with two digits, such as 12%, 0.34%. */
const percent = (share: number): string => `${Number((100 * share).toPrecision(2))}%`;

/** Computes the first block, so that an error in given values is thrown before anything is written, and returns a stream of all blocks. */
async function started(blocks: AsyncGenerator<Float64Array>): Promise<AsyncIterable<Float64Array>> {
  const first = await blocks.next();
  return (async function* () {
    if (!first.done) yield first.value;
    yield* blocks;
  })();
}
