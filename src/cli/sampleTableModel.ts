import { openTable } from "../data/index.ts";
import { completeTable, sampleTable } from "../data/tableSamples.ts";
import { writeTable } from "../data/writeTable.ts";
import { PushforwardError } from "../errors.ts";
import { counted } from "../evaluate/numberText.ts";
import { type LoadedModel, TableModel } from "../flows/index.ts";
import type { Io } from "./io.ts";
import { knownValues } from "./knownValues.ts";
import { Messages } from "./messages.ts";
import { program } from "./program.ts";
import { reportWritten, type tableOutput } from "./tableOutput.ts";

interface Values {
  readonly given: string | undefined;
  readonly rows: number | undefined;
  readonly seed: number;
  readonly na: readonly string[];
  readonly threads: number | undefined;
}

/** Draws rows from the model of a table, given values of any of its columns, or a table of them. */
export async function sampleTableModel(
  loaded: LoadedModel,
  { given: text, rows, seed, na, threads }: Values,
  destination: Awaited<ReturnType<typeof tableOutput>>,
  io: Io,
): Promise<void> {
  const model = TableModel.from(loaded);
  const messages = new Messages(io);
  const values = text === undefined ? undefined : knownValues(text, model.columns);
  const table =
    text !== undefined && !values ? await openTable(text, { na, signal: io.interrupted }) : undefined;
  const copies = rows ?? (table ? 1 : 1000);
  const total = copies * (table?.rows ?? 1);
  let drawn = 0;
  const options = {
    seed,
    signal: io.interrupted,
    ...(threads !== undefined && { threads }),
    onProgress(count: number) {
      drawn = count;
      messages.rows(count, total);
    },
  };
  try {
    if (text !== undefined) warnOfShare(model, messages);
    // Invalid values are found before anything is written.
    if (values) await model.sampleFeatures(0, { given: values });
    const blocks = table
      ? completeTable(model, table, { ...options, copies, present: false })
      : sampleTable(model, copies, { ...options, given: values });
    await writeTable(model.columns, blocks, destination);
    messages.end();
    reportWritten(counted(drawn, "row"), destination, io);
  } finally {
    messages.end();
    await table?.close();
    await model.release();
  }
}

/** The model, if it can be conditional on any of its columns. Throws `ARGUMENT` for others. */
export function unconditional(model: LoadedModel, path: string): LoadedModel {
  if (model.table && model.given.length === 0) return model;
  throw new PushforwardError("ARGUMENT", `The model ${path} cannot be conditional on any columns`, {
    expected: "a model that pushforward fit wrote with the default flow and without --given",
    hint: `Fit one: ${program()} fit DATA`,
  });
}

/** Says which part of the model conditional distributions come from, if it is not all of it. */
export function warnOfShare(model: TableModel, messages: Messages): void {
  const share = model.conditionalShare;
  if (share > 0.999) return;
  messages.print(
    `Conditional distributions are those of the parts of the model that have exact ones: ${Math.round(100 * share)}% of its weight.`,
  );
}
