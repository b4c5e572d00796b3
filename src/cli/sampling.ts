import { rowsAtATime, scanRows } from "../data/tableRows.ts";
import type { InMemoryDataset } from "../dataset/index.ts";
import { PushforwardError } from "../errors.ts";
import type { Model } from "../flows/index.ts";
import { ContextWatch } from "./contextRecord.ts";
import { count, counted } from "./format.ts";
import { type Given, MAX_FLOAT32 } from "./given.ts";
import type { Io } from "./io.ts";
import type { Messages } from "./messages.ts";
import { stopped } from "./scoring.ts";
import { sideBySide } from "./sideBySide.ts";

export interface Sampling {
  readonly given: Given;
  /** Number of rows; with a table in `given`, for each of its rows. */
  readonly n: number | undefined;
  readonly seed: number;
  readonly threads: number | undefined;
  readonly io: Io;
  readonly messages: Messages;
}

/**
 * Draws rows of the model's columns and, behind them, of those that it is conditional on. `rows` counts them as they
 * come.
 */
export function sampleRows(model: Model, { given, n, seed, threads, io, messages }: Sampling) {
  const drawn = { rows: 0, chunks: draw() };
  return drawn;

  async function* draw(): AsyncGenerator<Float64Array> {
    const times = n ?? (given.table ? 1 : 1000);
    const total = times * (given.table?.source.rows ?? 1);
    const atATime = rowsAtATime(model.columns.length + model.given.length);
    for await (const { rows, context } of contexts(model, given, times, atATime, messages)) {
      if (io.interrupted.aborted) throw stopped();
      const conditional = context.length > 0;
      const options = { threads, seed, start: drawn.rows, ...(conditional && { context }) };
      const samples = await model.flow.sample(rows, options);
      drawn.rows += rows;
      messages.rows(drawn.rows, total);
      yield sideBySide(samples, context, rows);
    }
  }
}

/** Chunks of at most `atATime` rows to draw, with what each row is conditional on. */
async function* contexts(
  model: Model,
  { table, values = new Float64Array(0) }: Given,
  n: number,
  atATime: number,
  messages: Messages,
): AsyncGenerator<{ rows: number; context: Float64Array }> {
  const watch = new ContextWatch(model);
  const tell = () => {
    for (const text of watch.warnings()) messages.warn(text);
  };
  if (!table) {
    watch.seeValues(values);
    tell();
    for (let start = 0; start < n; start += atATime) {
      const rows = Math.min(atATime, n - start);
      const context = Float64Array.from(
        { length: rows * values.length },
        (_, i) => values[i % values.length]!,
      );
      yield { rows, context };
    }
    return;
  }
  const { source, columns } = table;
  let missing = 0;
  for await (const { total, complete } of scanRows(source, columns)) {
    const { rows, values: context, rowNumbers } = complete;
    missing += total - rows;
    for (let row = 0; row < rows; row++) refuseLarge(context, row, rowNumbers[row]!, columns, source.source);
    watch.seeRows({ rows, context, rowNumbers });
    for (const piece of repeated(complete, n, atATime)) {
      yield { rows: piece.length / columns.length, context: piece };
    }
  }
  tell();
  if (missing === source.rows) {
    throw new PushforwardError("DATA", `${source.source} has no complete row to draw from`, {
      expected: `values of ${columns.join(", ")}`,
      hint: "Give a table with rows, or values: --given name=1",
    });
  }
  if (missing > 0) {
    const are = missing === 1 ? "has a missing value and is" : "have a missing value and are";
    messages.warn(`${counted(missing, "row")} of ${count(source.rows)} in --given ${are} left out.`);
  }
}

/** Refuses numbers that are infinite in float32, in which a flow computes. */
function refuseLarge(
  values: Float64Array,
  row: number,
  number: number,
  columns: readonly string[],
  source: string,
): void {
  for (const [d, name] of columns.entries()) {
    const value = values[row * columns.length + d]!;
    if (Number.isFinite(Math.fround(value))) continue;
    throw new PushforwardError("DATA", `Row ${number} of ${source} has a value that is too large`, {
      expected: `numbers up to ${MAX_FLOAT32} in ${name}`,
      received: `${value}`,
      hint: "Correct it, or leave the row out in a query.",
    });
  }
}

/** Each row `n` times, in pieces of at most `atATime` rows. */
function* repeated(
  { rows, features: width, values }: InMemoryDataset,
  n: number,
  atATime: number,
): Generator<Float64Array> {
  let piece = new Float64Array(atATime * width);
  let filled = 0;
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < n; i++) {
      piece.set(values.subarray(row * width, (row + 1) * width), filled * width);
      if (++filled < atATime) continue;
      yield piece;
      piece = new Float64Array(atATime * width);
      filled = 0;
    }
  }
  if (filled > 0) yield piece.slice(0, filled * width);
}
