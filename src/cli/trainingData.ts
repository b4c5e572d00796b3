import { columnNotes } from "../columns/index.ts";
import { columnList } from "../data/columnList.ts";
import { excludeColumns } from "../data/columnSelection.ts";
import { type Labels, openTable, readRows, streamRows, type Table } from "../data/index.ts";
import { labelsIn, withLabels } from "../data/labels.ts";
import { checkForFitting } from "../data/tableRows.ts";
import { type Dataset, StreamedDataset } from "../dataset/index.ts";
import { PushforwardError } from "../errors.ts";
import { columnHint } from "./columnHints.ts";
import type { Settings } from "./fitSettings.ts";
import { count, counted } from "./format.ts";
import type { Messages } from "./messages.ts";
import { apart } from "./sideBySide.ts";

/** Rows to fit a flow to. */
export interface TrainingData {
  readonly columns: readonly string[];
  /** Columns of numbers, and after them those of labels. */
  readonly given: readonly string[];
  readonly labels: Labels;
  /** All rows, or a stream of them if they are many. */
  readonly rows: Dataset;
  /** The values of those of `columns` that are constant, by their place. */
  readonly constants: ReadonlyMap<number, number>;
  /** How many rows were left out because a value was missing. */
  readonly missing: number;
  /** Ends all reading of the rows. */
  close(): Promise<void>;
}

/**
 * Tables of more numbers (1.5 million rows of 11 columns) are streamed. These are 128 MB, and training in memory has several
 * copies of them.
 */
const MOST_IN_MEMORY = 2 ** 24;

/**
 * Reads the chosen columns of a table, and warns of what makes a density hard to learn. A table of more than
 * `mostInMemory` numbers is read once for a sample, and later as it is needed.
 *
 * @throws FILE, DATA or ARGUMENT when the table cannot be used as it is.
 */
export async function readTrainingData(
  settings: Settings,
  messages: Messages,
  { mostInMemory = MOST_IN_MEMORY, signal }: { mostInMemory?: number | undefined; signal?: AbortSignal } = {},
): Promise<TrainingData> {
  const opened = await openTable(settings.data, { na: settings.na, ...(signal && { signal }) });
  try {
    const labels = await labelsIn(opened, settings.given);
    const table = withLabels(opened, labels);
    const { columns, given } = await chooseColumns(table, settings, labels);
    const streamed = table.rows * (columns.length + given.length) > mostInMemory;
    const rows = streamed
      ? await StreamedDataset.of(streamRows(table, columns, { given }), { seed: settings.seed })
      : await readRows(table, columns, { given });
    const data = { columns, given, labels, rows, missing: table.rows - rows.rows };
    const constants = check(data, table, settings, messages);
    if (streamed) return { ...data, constants, close: () => opened.close() };
    await opened.close();
    return { ...data, constants, close: async () => {} };
  } catch (error) {
    await opened.close();
    throw error;
  }
}

/**
 * Refuses rows that cannot be learned, and warns of what is hard to learn; of a stream it sees the sample. Gives the columns
 * that are constant in all rows.
 */
function check(
  { columns, given, labels, rows, missing }: Omit<TrainingData, "constants" | "close">,
  table: Table,
  settings: Settings,
  messages: Messages,
): TrainingData["constants"] {
  const { source, rows: total } = table;
  checkForFitting({ rows: rows.rows, missing }, source);
  const { constants } = rows;
  for (const [column, value] of constants.context) {
    const name = given[column]!;
    throw allConstant(
      [name],
      [labels.get(name)?.[value] ?? value],
      source,
      rows.rows,
      "Leave it out of --given.",
    );
  }
  if (constants.values.size === columns.length) {
    throw allConstant(
      columns,
      [...constants.values.values()],
      source,
      rows.rows,
      "Give a column that varies.",
    );
  }
  const varying = columns.filter((_, i) => !constants.values.has(i));
  const { rows: seen, values, context } = rows.sample.withoutColumns(constants.values);
  const learned = { columns: varying, rows: seen, values };
  if (missing > 0) {
    const are = missing === 1 ? "has a missing value and is" : "have a missing value and are";
    messages.warn(`${counted(missing, "row")} of ${count(total)} ${are} left out.`);
  }
  // Labels stand behind the numbers.
  const width = given.length - labels.size;
  const [numeric] = apart(context, width, seen);
  const numbers = { columns: given.slice(0, width), rows: seen, values: numeric };
  const notes = columnNotes({ ...learned, given: numbers });
  const noted = { settings, source: queried(settings, table), learned, given: numbers };
  for (const note of notes) messages.warn(`${note.message} ${columnHint(note, noted)}`);
  if (notes.length > 0 && seen < rows.rows) {
    messages.print(`(The warnings are about ${count(seen)} rows, drawn at random from ${count(rows.rows)}.)`);
  }
  const fixed = [...constants.values].map(([i, value]) => `${columns[i]} = ${value}`);
  if (fixed.length > 0) {
    const [what, it, value, other] =
      fixed.length > 1
        ? ["Some columns are", "them", "these values", "others"]
        : ["A column is", "it", "this value", "another one"];
    messages.print(
      `Note: ${what} constant: ${fixed.join(", ")}. The model knows ${it} as such: samples have ${value}, ` +
        `rows with ${other} have probability 0, and log-densities are those of the other columns.`,
    );
  }
  return constants.values;
}

async function chooseColumns(
  table: Table,
  { columns, exclude, given }: Settings,
  labels: Labels,
): Promise<{ columns: string[]; given: string[] }> {
  const asked = given.length > 0 ? await table.numericColumns(given, { use: "given" }) : [];
  const conditions = [...asked.filter((name) => !labels.has(name)), ...labels.keys()];
  const others = table.columns.map(({ name }) => name).filter((name) => !conditions.includes(name));
  const all = columns ?? (conditions.length > 0 ? others : undefined);
  const both = exclude?.find((name) => conditions.includes(name));
  if (both !== undefined) {
    throw new PushforwardError("ARGUMENT", `The column "${both}" stands both in --exclude and in --given`, {
      hint: "Take it out of one of them.",
    });
  }
  const chosen = await table.numericColumns(exclude ? excludeColumns(table, all ?? others, exclude) : all, {
    given: conditions,
  });
  if (chosen.length === 0) {
    const option = exclude ? "--exclude" : "--given";
    throw new PushforwardError("ARGUMENT", `${option} leaves no column of ${table.source} to learn`, {
      hint: `Name fewer columns in ${option}.`,
    });
  }
  const twice = chosen.find((name) => conditions.includes(name));
  if (twice !== undefined) {
    const rest = chosen.filter((name) => name !== twice);
    throw new PushforwardError("ARGUMENT", `The column "${twice}" stands both in --columns and in --given`, {
      hint: `Take it out of one of them${rest.length > 0 ? `: --columns ${columnList(rest)}` : "."}`,
    });
  }
  return { columns: chosen, given: conditions };
}

function allConstant(
  names: readonly string[],
  values: readonly (number | string)[],
  source: string,
  rows: number,
  hint: string,
): PushforwardError {
  const what =
    names.length === 1 ? `The column "${names[0]}" of ${source} is` : `All columns of ${source} are`;
  return new PushforwardError("DATA", `${what} constant`, {
    expected: "at least two different values",
    received: `${values.join(", ")} in all ${count(rows)} rows`,
    hint,
  });
}

/** In characters. A hint repeats the query of the user only if it is shorter. */
const MAX_QUERY_LENGTH = 500;

/** SQL that reads the table: its file, or the query that it comes from. */
const queried = ({ data: [query] }: Settings, table: Table): string =>
  table.source === "the query" && query!.length <= MAX_QUERY_LENGTH
    ? `(${query!.trim().replace(/;$/, "")})`
    : (table.inQuery() ?? "...");
