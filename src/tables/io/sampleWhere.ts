import { PushforwardError } from "../../check/index.ts";
import { rowMajor, selectRows } from "../../dataset/index.ts";
import type { RunOptions } from "../../flows/index.ts";
import { decodeRows, featureNames, type TableColumn, type TableValue } from "../columns/index.ts";
import type { TableModel } from "../model/index.ts";
import { quotedIdentifier, quotedNames } from "../options/index.ts";
import { Database } from "./database.ts";
import { interruptedDrawingError } from "./databaseError.ts";
import { rowsPerBlock } from "./tableRows.ts";
import { columnField } from "./writeTable.ts";

/** Options of `sampleWhere`. */
interface SampleWhereOptions extends RunOptions {
  /** Default 0. */
  readonly seed?: number | undefined;
  /** Values of some columns, the same in all rows: the other columns are drawn conditional on them. Default none. */
  readonly given?: Readonly<Record<string, TableValue>> | undefined;
  /** Whether values can be missing. Default true. */
  readonly gaps?: boolean | undefined;
  /** Ends after the current block. Default none. */
  readonly signal?: AbortSignal | undefined;
  /** Called after each block with the numbers of rows that meet the condition, and of rows drawn, so far. */
  onProgress?: ((accepted: number, drawn: number) => void) | undefined;
}

/**
 * Sampling fails after this many draws, or after `MAX_DRAWN_PER_ROW` draws for each requested row if that is more: the condition may never be
 * true.
 */
const MAX_DRAWN_ROWS = 100_000;
/** See `MAX_DRAWN_ROWS`. */
const MAX_DRAWN_PER_ROW = 1000;
/** The rows of the first block, before it is known how many meet the condition. */
const MIN_BLOCK_ROWS = 1024;
/** Blocks have this many times the rows that are expected to suffice, so that one block usually suffices. */
const BLOCK_MARGIN = 1.2;

/**
 * Draws rows from the model of a table that meet a condition, by rejection: draws are kept if the condition is true. `condition` is an
 * expression of DuckDB over the columns of the table, such as `age > 40 AND city = 'Bern'`. The kept rows come as features, block by
 * block, and follow the conditional distribution exactly. With the same seed, the first rows do not depend on the number of rows.
 *
 * @throws DATA if the condition is not an expression over these columns, or if too few draws meet it; INTERRUPTED.
 */
export async function* sampleWhere(
  model: TableModel,
  rows: number,
  condition: string,
  { seed = 0, given, signal, onProgress, ...run }: SampleWhereOptions = {},
): AsyncGenerator<Float64Array> {
  const D = model.columns.flatMap(featureNames).length;
  const maxDrawn = Math.max(MAX_DRAWN_ROWS, MAX_DRAWN_PER_ROW * rows);
  const database = await Database.open("the condition", signal);
  try {
    await database.prepareForColumns(model.columns.length + 1);
    let accepted = 0;
    let drawn = 0;
    while (accepted < rows) {
      if (signal?.aborted) throw interruptedDrawingError();
      if (drawn >= maxDrawn) throw tooFewError(condition, { accepted, drawn, rows });
      // An estimate of the share of draws that meet the condition, positive even if none has.
      const share = (accepted + 1) / (drawn + 1);
      const wanted = Math.ceil((BLOCK_MARGIN * (rows - accepted)) / share);
      const count = Math.min(rowsPerBlock(D), maxDrawn - drawn, Math.max(MIN_BLOCK_ROWS, wanted));
      const options = { ...run, seed, start: drawn, ...(given && { given }) };
      const features = await model.sampleFeatures(count, options);
      const kept = await rowsWhere(database, model, features, condition);
      const used = kept.slice(0, rows - accepted);
      // The draws after the last row that is used do not count.
      drawn += used.length < kept.length ? used.at(-1)! + 1 : count;
      accepted += used.length;
      onProgress?.(accepted, drawn);
      if (used.length > 0) yield selectRows(features, used, D);
    }
  } finally {
    await database.close();
  }
}

/** The indices of the rows of features that meet a condition, in their order. */
async function rowsWhere(
  database: Database,
  { columns }: TableModel,
  features: Float64Array,
  condition: string,
): Promise<number[]> {
  const values = decodeRows(columns, features);
  const count = values[0]!.length;
  const indices = Float64Array.from({ length: count }, (_, n) => n);
  await database.createTable("drawn", columns.length + 1, [rowMajor([...values, indices], count)]);
  // The name of the column of indices must not be that of another column.
  let index = "row";
  while (columns.some(({ name }) => name.toLowerCase() === index)) index += "_";
  const selected = columns.map(
    (column, c) => `${columnField(column).sql(`drawn.c${c}`)} AS ${quotedIdentifier(column.name)}`,
  );
  const source = `(SELECT ${selected.join(", ")}, drawn.c${columns.length} AS ${index} FROM drawn)`;
  const kept: number[] = [];
  // The line break ends a comment at the end of the condition.
  const relation = `${source} WHERE (${condition}\n) ORDER BY ${index}`;
  try {
    // In parentheses, text that is not a condition can become valid SQL: "a) OR (b" becomes "(a) OR (b)". So the condition must also be valid
    // without them.
    await database.queryColumns(`SELECT 1 FROM ${source} WHERE ${condition}`);
    for await (const block of database.stream([index], relation, count)) kept.push(...block);
  } catch (error) {
    // An error with a hint, such as a full disk, is not one of the condition.
    if (!(error instanceof PushforwardError) || error.code !== "DATA" || error.hint !== undefined)
      throw error;
    throw new PushforwardError("DATA", error.what.replace(/\.$/, ""), {
      received: condition,
      hint: `Correct the condition. The columns are ${columns.map(typedName).join(", ")}.`,
      cause: error,
    });
  }
  return kept;
}

/** The name of a column with its type, because DuckDB compares text only with text: a column of codes or large integers may be text. */
const typedName = ({ name, type }: TableColumn): string => `${quotedNames([name])} (${type})`;

function tooFewError(
  condition: string,
  { accepted, drawn, rows }: { accepted: number; drawn: number; rows: number },
): PushforwardError {
  return new PushforwardError("DATA", `Too few rows of the model meet the condition ${condition}`, {
    expected: `${rows} rows`,
    received: `${accepted} in ${drawn} draws`,
    hint: "Use a weaker condition, ask for fewer rows, or give values of columns (--given), which rejects no draws.",
  });
}
