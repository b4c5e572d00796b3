import type { Table } from "../data/index.ts";
import { scanRows } from "../data/tableRows.ts";
import { PushforwardError } from "../errors.ts";
import type { Flow, Model, RunOptions } from "../flows/index.ts";
import { ContextWatch } from "./contextRecord.ts";
import { count, counted, nats } from "./format.ts";
import type { Io } from "./io.ts";
import type { Messages } from "./messages.ts";
import { labelsOf, tableFor } from "./model.ts";

/** The log-density of each row in nats, finite for values up to the largest: float32 ends at 3e38. */
export async function logDensities(
  flow: Flow,
  x: Float64Array,
  context: Float64Array,
  { threads }: RunOptions,
): Promise<Float64Array> {
  const given = context.length > 0 ? context : undefined;
  const scores = await flow.logProb(x, given, { threads });
  return scores.every(Number.isFinite) ? scores : flow.logProb(x, given, { threads, precision: "float64" });
}

export interface Scoring {
  readonly threads: number | undefined;
  readonly io: Io;
  readonly messages: Messages;
}

/**
 * The log-density of every row of a table, chunk by chunk, in nats and data units; NaN where a value is missing.
 * Tells at the end how many rows these are, and whether rows lie far from what the model knows.
 *
 * @throws DATA when the table lacks columns of the model, has no complete row or infinite values; NUMERIC when a
 *   log-density is not a number; INTERRUPTED.
 */
export async function* scoreTable(
  model: Model,
  table: Table,
  { threads, io, messages }: Scoring,
): AsyncGenerator<Float64Array> {
  const { columns, given, flow } = model;
  const names = [...columns, ...given];
  const readable = await tableFor(table, names, labelsOf(model));
  const far = new FarRows(model);
  const watch = new ContextWatch(model);
  let done = 0;
  let missing = 0;
  for await (const { start, total, complete } of scanRows(readable, columns, { given })) {
    watch.seeRows(complete);
    const { values, context, rowNumbers } = complete;
    const scored = await logDensities(flow, values, context, { threads });
    const scores = complete.rows === total ? scored : new Float64Array(total).fill(Number.NaN);
    for (const [i, number] of rowNumbers.entries()) {
      const score = scored[i]!;
      if (Number.isNaN(score)) throw notANumber(table, number);
      far.see(number, score);
      scores[number - start] = score;
    }
    missing += total - complete.rows;
    done += total;
    if (io.interrupted.aborted) throw stopped();
    messages.rows(done, table.rows);
    yield scores;
  }
  messages.end();
  if (done === missing) throw nothingComplete(table);
  if (missing > 0) {
    messages.warn(
      `${counted(missing, "row")} of ${count(done)} ${missing === 1 ? "has" : "have"} a missing value and no log-density.`,
    );
  }
  for (const text of watch.warnings()) messages.warn(text);
  const warning = far.describe(done);
  if (warning) messages.warn(warning);
}

/** Counts rows so far below the held-out mean as a Gaussian falls at 14 deviations, and more with many columns. */
class FarRows {
  private readonly limit: number;
  private number = 0;
  private first = { row: 0, score: 0 };

  constructor({ training, columns }: Model) {
    this.limit = training
      ? training.validationLogDensity - 100 - 2 * columns.length
      : Number.NEGATIVE_INFINITY;
  }

  see(row: number, score: number): void {
    if (score >= this.limit) return;
    if (this.number++ === 0) this.first = { row, score };
  }

  describe(total: number): string | undefined {
    const { row, score } = this.first;
    if (this.number === 0) return undefined;
    const what =
      this.number === 1
        ? `Row ${row} has a very low density (${nats(score)} nats): its values lie`
        : `${count(this.number)} of ${count(total)} rows have a very low density (the first is row ${row}, ${nats(score)} nats): their values lie`;
    return `${what} far from everything that the model has seen.`;
  }
}

export const stopped = (): PushforwardError =>
  new PushforwardError("INTERRUPTED", "Stopped before the end; no file was written", {
    hint: "Run the command again.",
  });

function notANumber(table: Table, row: number): PushforwardError {
  return new PushforwardError("NUMERIC", `The log-density of row ${row} of ${table.source} is not a number`, {
    hint: "Look at the values of this row, or leave it out with a query.",
  });
}

function nothingComplete(table: Table): PushforwardError {
  return table.rows === 0
    ? new PushforwardError("DATA", `${table.source} has no rows`, {
        hint: "Give a table with rows below its header.",
      })
    : new PushforwardError("DATA", `${table.source} has no row without a missing value`, {
        received: counted(table.rows, "row"),
        hint: "Fill in the missing values in the columns of the model.",
      });
}
